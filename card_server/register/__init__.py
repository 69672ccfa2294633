"""The school's register (学籍): people, cards, readers, and the lists that readers judge by."""
