"""OneRoster: the school's people as other systems write them, in CSV files or over REST.

`csv_reader.read_csv` and `rest.read_rest` give a `Roster`; `csv_writer.write_csv` is the way out.
Both readers turn what they get into rows (`rows`) with the names of the CSV tables, keep what
counts of them (`gathering`, `records`), and put students, homerooms and guardians together:
`assembly` for a whole roster, `delta` for changes since the last one.

Source: 1EdTech OneRoster 1.1 (Final, 2017), CSV Tables and REST; OneRoster 1.2.1 (2023), CSV
Binding, Rostering Service. SDS is Microsoft's School Data Sync V2.1, a dialect of the CSV files.
"""
