"""A roster comes into the school (学籍导入): read, compared, shown, and then all of it or nothing.

`reading` makes a `Roster` of a file, `loading` says what the school has, `difference` compares the
two without a database, `brake` asks for a person's yes, `apply` writes one transaction. `staging`
keeps a file between the page's steps; `job` imports it in the background.
"""
