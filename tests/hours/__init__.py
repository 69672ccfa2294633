"""The tests at other hours of the day and of the week."""
