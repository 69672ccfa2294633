"""What is wrong with a OneRoster package or service, in a sentence for each kind."""

from flask_babel import LazyString, lazy_gettext

FINDINGS: dict[str, LazyString] = {
    "oneroster.not_a_package": lazy_gettext(
        "This is neither a zip nor a folder of OneRoster files."
    ),
    "oneroster.package_too_big": lazy_gettext(
        "The package is too big, or unpacks to far more than its size; it was not opened."
    ),
    "oneroster.member_name": lazy_gettext(
        "A file in the package has a path or is a link; the files must lie side by side."
    ),
    "oneroster.member_locked": lazy_gettext("The file is locked with a password."),
    "oneroster.in_a_folder": lazy_gettext(
        "The files lie in a folder of the package; they were read nevertheless."
    ),
    "oneroster.file_name": lazy_gettext(
        "The file's name is written in another case than the standard has it."
    ),
    "oneroster.file_twice": lazy_gettext("The package has this file twice."),
    "oneroster.file_unknown": lazy_gettext("This file is not one of OneRoster's; it was not read."),
    "oneroster.file_missing": lazy_gettext(
        "The package lacks this file, and without it there is no roster."
    ),
    "oneroster.file_needed": lazy_gettext("The column refers to a file that is not there."),
    "oneroster.file_empty": lazy_gettext("The file is empty: not even a header."),
    "oneroster.file_broken": lazy_gettext("The file is damaged and cannot be read to its end."),
    "oneroster.encoding": lazy_gettext("The file is not written in this encoding."),
    "oneroster.csv_broken": lazy_gettext(
        "From this line on the file is not proper CSV; often a quotation mark is not closed."
    ),
    "oneroster.column_missing": lazy_gettext("The column is missing."),
    "oneroster.column_twice": lazy_gettext("The column is there twice."),
    "oneroster.column_case": lazy_gettext(
        "The column's name is written in another case than the standard has it."
    ),
    "oneroster.row_length": lazy_gettext("The row has another number of cells than the header."),
    "oneroster.passwords": lazy_gettext(
        "The file holds passwords. They were not kept; ask the source to leave them out."
    ),
    "oneroster.manifest_missing": lazy_gettext(
        "There is no manifest; the files were taken as they are, and as a whole roster."
    ),
    "oneroster.manifest_version": lazy_gettext("The manifest is of an unknown version."),
    "oneroster.manifest_value": lazy_gettext(
        "The manifest has an unknown value here, or the property twice."
    ),
    "oneroster.manifest_says_absent": lazy_gettext(
        "The manifest says that this file is absent, but it is there. It was not read."
    ),
    "oneroster.manifest_says_present": lazy_gettext(
        "The manifest names this file, but it is not there."
    ),
    "oneroster.manifest_silent": lazy_gettext(
        "The manifest does not say what this file is; it was read as a whole one."
    ),
    "oneroster.manifest_mixed": lazy_gettext(
        "Some files are whole, others changes; who is not named is gone only if people's are whole."
    ),
    "oneroster.version": lazy_gettext("This version of OneRoster cannot be read."),
    "oneroster.value_missing": lazy_gettext("The value is missing."),
    "oneroster.name_in_one_part": lazy_gettext(
        "The name stands in one part alone; it was taken as the whole name."
    ),
    "oneroster.vocabulary": lazy_gettext(
        "The word is none of those that may stand here; it was passed over."
    ),
    "oneroster.case": lazy_gettext("The word is written in another case than the standard has it."),
    "oneroster.date": lazy_gettext("This is not a date; it was passed over."),
    "oneroster.phone": lazy_gettext(
        "This is not a phone number that the school takes; it was passed over."
    ),
    "oneroster.name_too_long": lazy_gettext("The name is too long."),
    "oneroster.number_missing": lazy_gettext(
        "The student has no student number, though others have."
    ),
    "oneroster.number_too_long": lazy_gettext("The student number is too long."),
    "oneroster.number_from_sourced_id": lazy_gettext(
        "No student has a student number; the source's own ids were taken."
    ),
    "oneroster.id_too_long": lazy_gettext("The id is too long."),
    "oneroster.id_twice": lazy_gettext("The id is there twice."),
    "oneroster.number_twice": lazy_gettext(
        "Two students have this student number; the other's line is named."
    ),
    "oneroster.reference": lazy_gettext("Nothing with this id is in the file that it refers to."),
    "oneroster.deleted_in_bulk": lazy_gettext(
        "Records that are to be deleted stand in a whole file; they were left out."
    ),
    "oneroster.status_missing": lazy_gettext(
        "A file of changes must say the status; what has none was taken as active."
    ),
    "oneroster.school_unknown": lazy_gettext("The package has no school with this id."),
    "oneroster.several_schools": lazy_gettext("The package has several schools. Choose yours."),
    "oneroster.org_type": lazy_gettext(
        "The classes belong to an organisation that is not a school; it was taken as one."
    ),
    "oneroster.school_year": lazy_gettext(
        "The school year's number and its dates disagree; the dates were taken."
    ),
    "oneroster.several_years": lazy_gettext("The homerooms are of several school years."),
    "oneroster.no_homerooms": lazy_gettext(
        "No class is of type homeroom. If all classes are homerooms, say so."
    ),
    "oneroster.nobody": lazy_gettext("There is no student."),
    "oneroster.homeroom_name_twice": lazy_gettext(
        "Two homerooms have the same name; the other's line is named."
    ),
    "oneroster.homeroom_missing": lazy_gettext("The student is in no homeroom."),
    "oneroster.homeroom_left_out": lazy_gettext(
        "The student is in no homeroom and was left out, as you chose."
    ),
    "oneroster.homeroom_left": lazy_gettext(
        "The student leaves the homeroom and enters no other; the old one was kept."
    ),
    "oneroster.homerooms_several": lazy_gettext(
        "The student is in several homerooms; the primary one was taken."
    ),
    "oneroster.homerooms_undecided": lazy_gettext(
        "The student is in several homerooms, and none or more than one is primary."
    ),
    "oneroster.grade_missing": lazy_gettext("The homeroom's grade is not said. Choose it."),
    "oneroster.grade_outside": lazy_gettext(
        "The homeroom is of no grade from 1 to 12; it and its students were left out."
    ),
    "oneroster.grade_from_students": lazy_gettext(
        "The homeroom's grade is not said; its students' grade was taken."
    ),
    "oneroster.role_contradicts": lazy_gettext(
        "Enrolled as a student, but the person's role is another; not taken as a student."
    ),
    "oneroster.agent_unknown": lazy_gettext(
        "The person who is named as a guardian is not in the file."
    ),
    "oneroster.agent_role": lazy_gettext(
        "The person who is named is no guardian by role; not taken as one."
    ),
    "oneroster.guardian_of_nobody": lazy_gettext("The guardian belongs to no student; left out."),
    "oneroster.guardian_without_phone": lazy_gettext(
        "The guardian has no phone number that can be used."
    ),
    "oneroster.person_unknown": lazy_gettext(
        "The change is about a student whom neither this package nor the school knows."
    ),
    "oneroster.more": lazy_gettext("There are this many more of the same kind."),
}
"""Kind of finding → sentence; line, column and value stand beside it."""

TROUBLES: dict[str, LazyString] = {
    "oneroster.rest_unreachable": lazy_gettext("The OneRoster service cannot be reached."),
    "oneroster.rest_too_slow": lazy_gettext("The OneRoster service takes too long to answer."),
    "oneroster.rest_cut": lazy_gettext(
        "The connection to the OneRoster service was cut in the middle of an answer."
    ),
    "oneroster.rest_no_token": lazy_gettext(
        "The OneRoster service gives no token for this client id and secret."
    ),
    "oneroster.rest_not_allowed": lazy_gettext(
        "The OneRoster service does not allow this; check the scopes of the client."
    ),
    "oneroster.rest_not_found": lazy_gettext(
        "The OneRoster service is not at this address, or does not offer this collection."
    ),
    "oneroster.rest_refused": lazy_gettext("The OneRoster service refuses the request."),
    "oneroster.rest_busy": lazy_gettext("The OneRoster service asks to come again later."),
    "oneroster.rest_failing": lazy_gettext("The OneRoster service fails."),
    "oneroster.rest_unreadable": lazy_gettext("The OneRoster service's answer cannot be read."),
    "oneroster.rest_endless": lazy_gettext(
        "The OneRoster service gives the same records again and again."
    ),
    "oneroster.rest_incomplete": lazy_gettext(
        "The OneRoster service gave fewer records than it says there are. Nothing was taken."
    ),
    "oneroster.rest_too_big": lazy_gettext("The OneRoster service's answer is too big."),
}
"""Why nothing could be had over REST → sentence; whoever shows it adds the collection."""


def finding_words(kind: str) -> str:
    """The sentence; a kind that this release does not know stands as it is."""
    return str(FINDINGS.get(kind, kind))


def trouble_words(kind: str) -> str:
    """The sentence for what `SourceError` names."""
    return str(TROUBLES.get(kind, kind))
