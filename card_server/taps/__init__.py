"""A tap on its way into the record, from the message to the rows."""
