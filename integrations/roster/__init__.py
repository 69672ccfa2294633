"""Rosters that other systems write: whatever the source, a `protocol.Roster` comes out.

A spreadsheet, in two steps with a person between them:

1. `sheets.files.read_table(body, name)` gives a `Table`: header, rows of text, and what was passed
   over. It raises `SheetError`, whose `finding` says why; after `encoding.uncertain` and
   `encoding.unmarked` ask for the encoding and call it again with it. `Table.sheets` are the sheets
   of a workbook that a person may choose instead.
   `sheets.columns.propose(table.header)` gives what each column probably means and how sure that
   is; `mapping_of` makes a mapping of it. A person corrects it: `sheets.fields.read_target` and
   `Target.key` are the way into forms and back, `missing` says what is still wanted, and
   `fingerprint(table.header)` is the name under which a school's mapping is remembered.
2. `sheets.students.read_roster(table, mapping, options)` gives the `Roster`: everybody whose row is
   right, and a finding for all that is not. `SheetOptions` has what only the school knows: the
   school year, the stages it has, whose phone numbers it takes. What a person mends on the page
   goes in by `sheets.files.mend(table, cells, without)`, and the same again.

`cmis` does both steps by the profile of a school-register system, and `cmis_sheets` writes what
goes back to it. `oneroster` is the other kind of source. `kinds` lists the findings of the sheets;
names, dates, phones, codes and identity numbers are each read by the file of that name.
"""
