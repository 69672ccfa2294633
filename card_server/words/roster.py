"""What is wrong with a roster, in a sentence for each kind, and what its columns may mean."""

from flask_babel import LazyString, lazy_gettext

from card_server.words.oneroster import FINDINGS as ONEROSTER_FINDINGS


def say_finding(kind: str, value: str = "", expected: str = "") -> str:
    """The sentence for a finding of any source.

    `value` and `expected` are the finding's own; a sentence that needs neither leaves them out.
    """
    if kind in ONEROSTER_FINDINGS:
        return str(ONEROSTER_FINDINGS[kind])
    named = FIELDS.get(expected)
    return str(FINDINGS[kind]) % {"value": value, "expected": named or expected}


FINDINGS: dict[str, LazyString] = {
    "file.empty": lazy_gettext("The file is empty."),
    "file.too_big": lazy_gettext(
        "The file is bigger than any school's roster, or unpacks to far more than its size."
    ),
    "file.kind": lazy_gettext(
        "This is no file that can be read here. Save it as XLSX or CSV and choose it again."
    ),
    "file.macros": lazy_gettext(
        "The file may hold macros and was not opened. Save it as XLSX, without macros."
    ),
    "file.encrypted": lazy_gettext("The file is locked with a password. Save it without one."),
    "file.broken": lazy_gettext(
        "The file is damaged and cannot be read to its end. Get it or save it again."
    ),
    "file.nul": lazy_gettext("There are bytes in this line that are no text."),
    "file.quotes": lazy_gettext(
        "From this row on the quotation marks do not match; the row cannot be read."
    ),
    "file.no_header": lazy_gettext(
        "No row with the names of the columns was found in the first rows of the file."
    ),
    "file.no_sheet": lazy_gettext("The workbook has no visible sheet of this name: %(value)s."),
    "file.no_rows": lazy_gettext("There is nobody under the names of the columns."),
    "encoding.uncertain": lazy_gettext(
        "The file may be UTF-8 or GB18030, and nothing tells which. Choose its encoding."
    ),
    "encoding.none": lazy_gettext(
        "The file is neither UTF-8 nor GB18030. Choose its encoding, or save it as XLSX."
    ),
    "encoding.wrong": lazy_gettext("The file does not fit this encoding: %(value)s."),
    "encoding.unmarked": lazy_gettext(
        "The file looks like UTF-16 without a mark. Choose its encoding, or save it as XLSX."
    ),
    "encoding.mixed": lazy_gettext(
        "This line is written in another encoding than the rest of the file."
    ),
    "column.missing": lazy_gettext("No column is the %(expected)s. Say which one it is."),
    "column.twice": lazy_gettext("A column before this one has the same meaning already."),
    "column.unknown": lazy_gettext("It is not known what this column means; it is not read."),
    "row.note": lazy_gettext("This row is a note and nobody's; it was passed over."),
    "row.header_again": lazy_gettext("This row repeats the header; it was passed over."),
    "formula.cached": lazy_gettext(
        "There are formulas in this column; their last results were taken (%(expected)s)."
    ),
    "formula.no_value": lazy_gettext(
        "A formula without a result. Open the file in the spreadsheet program and save it."
    ),
    "cell.error": lazy_gettext("The spreadsheet shows an error in this cell."),
    "number.lost_digits": lazy_gettext(
        "The spreadsheet has made a number of it and lost digits. Write it anew as text."
    ),
    "number.missing": lazy_gettext("The student number is missing."),
    "number.shape": lazy_gettext(
        "This is no student number: letters, digits, hyphens and dots, 32 at most."
    ),
    "number.is_identity": lazy_gettext(
        "This is an identity number, which must not serve as student number."
    ),
    "number.twice": lazy_gettext("Row %(expected)s has this student number already."),
    "name.missing": lazy_gettext("The name is missing."),
    "name.too_long": lazy_gettext("The name is longer than %(expected)s characters."),
    "name.lost": lazy_gettext(
        "A character of the name was lost when the file was made. Write it anew."
    ),
    "name.odd": lazy_gettext("The name has a digit in it, or a character made for one machine."),
    "homeroom.missing": lazy_gettext("The homeroom is missing."),
    "homeroom.grade_unclear": lazy_gettext(
        "It is not certain which grade this homeroom is of. Add a column with the grade."
    ),
    "homeroom.grade_outside": lazy_gettext("The school has no such grade this year."),
    "homeroom.contradicts": lazy_gettext("The homeroom's name and the grade do not agree."),
    "homeroom.too_long": lazy_gettext("The homeroom's name is too long."),
    "date.invalid": lazy_gettext("This is no date."),
    "date.unclear": lazy_gettext(
        "The date can be read in more than one way, or lacks its day; it is left out."
    ),
    "born.unlikely": lazy_gettext("Hardly a student's date of birth."),
    "code.unknown": lazy_gettext(
        "This is neither a name nor a code that the column may hold (%(expected)s rows)."
    ),
    "identity.length": lazy_gettext("The identity number does not have 18 characters."),
    "identity.shape": lazy_gettext(
        "This is no number of such a paper. For passports, a column must say what paper it is."
    ),
    "identity.region": lazy_gettext("The identity number begins with a region that is none."),
    "identity.birth": lazy_gettext("The identity number holds a date that does not exist."),
    "identity.checksum": lazy_gettext(
        "A digit of the identity number is wrong: its last character does not fit the others."
    ),
    "identity.old_form": lazy_gettext("An identity number of 15 digits; it was made into 18."),
    "identity.region_unknown": lazy_gettext("The identity number is of a county not known here."),
    "identity.region_later": lazy_gettext(
        "The identity number is of a region that had another code in the year of birth."
    ),
    "identity.other_birth": lazy_gettext("The identity number has another date of birth."),
    "identity.other_sex": lazy_gettext("The identity number says the other sex."),
    "identity.twice": lazy_gettext("Row %(expected)s has this identity number already."),
    "registry.shape": lazy_gettext("This is no registry number; it is left out."),
    "registry.twice": lazy_gettext("Row %(expected)s has this registry number already."),
    "card.shape": lazy_gettext("This is no card number."),
    "card.twice": lazy_gettext("Row %(expected)s has this card number already."),
    "phone.invalid": lazy_gettext("This is no phone number; it is left out."),
    "phone.country": lazy_gettext(
        "A phone number of a country that the school does not send to; it is left out."
    ),
    "phone.no_messages": lazy_gettext("A landline, which takes no text messages."),
    "guardian.unnamed": lazy_gettext(
        "A guardian's phone number without a name; the student's name will stand for it."
    ),
    "guardian.no_phone": lazy_gettext(
        "Guardians without a phone number are left out (%(expected)s)."
    ),
}
"""Each kind that the sheets know; a test holds this."""

FIELDS: dict[str, LazyString] = {
    "number": lazy_gettext("student number"),
    "name": lazy_gettext("name"),
    "sex": lazy_gettext("sex"),
    "born_on": lazy_gettext("date of birth"),
    "grade": lazy_gettext("grade"),
    "homeroom": lazy_gettext("homeroom"),
    "stage": lazy_gettext("stage of school"),
    "entered": lazy_gettext("month of entry"),
    "campus": lazy_gettext("campus"),
    "status": lazy_gettext("status"),
    "lodging": lazy_gettext("boarding or day student"),
    "paper": lazy_gettext("kind of identity paper"),
    "identity": lazy_gettext("identity number"),
    "registry": lazy_gettext("registry number"),
    "card": lazy_gettext("card number"),
    "phone": lazy_gettext("phone number for the student"),
    "nation": lazy_gettext("ethnic group (checked only)"),
    "region": lazy_gettext("region (checked only)"),
    "health": lazy_gettext("health (checked only)"),
    "blood": lazy_gettext("blood type (checked only)"),
    "from_outside": lazy_gettext("from outside the mainland (checked only)"),
    "guardian_name": lazy_gettext("guardian's name"),
    "guardian_relation": lazy_gettext("guardian's relation"),
    "guardian_relation_note": lazy_gettext("note on the relation"),
    "guardian_phone": lazy_gettext("guardian's phone number"),
    "guardian_is_one": lazy_gettext("whether a guardian"),
    "left_out": lazy_gettext("not kept"),
}
"""What a column may mean."""

SLOTS: dict[str, LazyString] = {
    "1": lazy_gettext("guardian 1"),
    "2": lazy_gettext("guardian 2"),
    "3": lazy_gettext("guardian 3"),
    "4": lazy_gettext("guardian 4"),
    "5": lazy_gettext("guardian 5"),
    "6": lazy_gettext("guardian 6"),
    "father": lazy_gettext("father"),
    "mother": lazy_gettext("mother"),
}
"""Whose column a guardian's is."""
