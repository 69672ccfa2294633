"""Every kind of job: a new one is a file and a line here."""

from card_server.attendance import recompute_job as recomputing
from card_server.exports.job import describe_export, write_export
from card_server.faces.job import FACES, describe_faces, make_faces
from card_server.field_errors import marked as _
from card_server.imports.roster import job as roster
from card_server.jobs.protocol import Kind
from card_server.messages.notice_job import NOTICE, describe_notice, do_notice

KINDS: dict[str, Kind] = {
    "export": Kind(
        write_export, _("Export of a list"), is_repeatable=True, describe=describe_export
    ),
    FACES: Kind(make_faces, _("Card faces"), is_repeatable=True, describe=describe_faces),
    NOTICE: Kind(do_notice, _("School notice"), is_repeatable=True, describe=describe_notice),
    recomputing.TRY_OUT: Kind(
        recomputing.try_out,
        _("Trying out a recomputation"),
        is_repeatable=True,
        describe=recomputing.describe,
    ),
    recomputing.DO: Kind(
        recomputing.recompute,
        _("Recomputation of days"),
        is_repeatable=True,
        describe=recomputing.describe,
        must_end=True,
    ),
    roster.CHECK: Kind(roster.check_roster, _("Comparing a roster"), is_repeatable=True),
    roster.FETCH: Kind(roster.fetch_roster, _("Fetching a roster"), is_repeatable=True),
    roster.IMPORT: Kind(roster.do_import, _("Import of a roster"), is_repeatable=True),
}
