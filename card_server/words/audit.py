"""What the audit log's actions, subjects and actors are called on its page."""

from flask_babel import LazyString, gettext, lazy_gettext

from card_server.audit.reading import ActorKey

ACTIONS: dict[str, LazyString] = {
    "audit.detail_seen": lazy_gettext("looked at an entry's details"),
    "audit.erased": lazy_gettext("erased details"),
    "attendance.rules_changed": lazy_gettext("changed the rules of attendance"),
    "calendar.said": lazy_gettext("said what a day is"),
    "calendar.taken_back": lazy_gettext("took back what was said of a day"),
    "campus.changed": lazy_gettext("renamed a campus"),
    "campus.made": lazy_gettext("made a campus"),
    "campus.removed": lazy_gettext("removed a campus"),
    "card.blacklisted": lazy_gettext("ended a card for good"),
    "card.expired": lazy_gettext("ended a card whose time was over"),
    "card.found": lazy_gettext("noted that a card was found"),
    "card.issued": lazy_gettext("gave out a card"),
    "card.lent": lazy_gettext("lent a card for a day"),
    "card.lost": lazy_gettext("reported a card lost"),
    "card.replaced": lazy_gettext("replaced a card"),
    "card.returned": lazy_gettext("took a card back"),
    "card.stocked": lazy_gettext("took cards into stock"),
    "face.changed": lazy_gettext("changed how cards look"),
    "face.printed": lazy_gettext("took card faces to print"),
    "export.taken": lazy_gettext("downloaded a list"),
    "attendance.recomputed": lazy_gettext("judged days anew"),
    "attendance.corrected": lazy_gettext("corrected a student's day"),
    "attendance.correction_ended": lazy_gettext("took a correction back"),
    "evacuation.ended": lazy_gettext("ended an evacuation"),
    "evacuation.started": lazy_gettext("began an evacuation"),
    "evacuation.ticked": lazy_gettext("ticked students off in an evacuation"),
    "attendance.gate_left_out": lazy_gettext("let a day be judged without a gate"),
    "exemption.ended": lazy_gettext("ended an exemption from attendance"),
    "exemption.made": lazy_gettext("exempted a student from attendance"),
    "leave.agreed": lazy_gettext("agreed to leave, for the school to approve"),
    "leave.approved": lazy_gettext("approved leave"),
    "leave.asked": lazy_gettext("asked for leave for a student"),
    "leave.refused": lazy_gettext("refused leave"),
    "leave.seen": lazy_gettext("looked at why a student has leave"),
    "leave.shortened": lazy_gettext("ended leave early"),
    "leave.withdrawn": lazy_gettext("withdrew leave"),
    "passage.recorded": lazy_gettext("let a student pass without a card"),
    "passage.taken_back": lazy_gettext("took a passage without a card back"),
    "finding.looked_at": lazy_gettext("looked at a finding"),
    "finding.reopened": lazy_gettext("put a finding back among the open ones"),
    "guardian.changed": lazy_gettext("changed a guardian"),
    "guardian.linked": lazy_gettext("linked a guardian to a student"),
    "guardian.made": lazy_gettext("added a guardian"),
    "guardian.phones_seen": lazy_gettext("looked at a guardian's phone numbers"),
    "guardian.unlinked": lazy_gettext("parted a guardian from a student"),
    "homeroom.changed": lazy_gettext("changed a homeroom"),
    "homeroom.made": lazy_gettext("made a homeroom"),
    "job.asked": lazy_gettext("asked for a background job"),
    "job.cancelled": lazy_gettext("cancelled a background job"),
    "reader.changed": lazy_gettext("changed a reader"),
    "reader.made": lazy_gettext("made a reader"),
    "registration.made": lazy_gettext("registered a student by hand"),
    "registration.taken_back": lazy_gettext("took a registration back"),
    "roster.discarded": lazy_gettext("discarded a roster's file"),
    "roster.exported": lazy_gettext("gave the roster out"),
    "roster.imported": lazy_gettext("imported a roster"),
    "roster.photos_imported": lazy_gettext("imported photos"),
    "roster.service_changed": lazy_gettext("changed where the roster is fetched from"),
    "roster.service_removed": lazy_gettext("removed where the roster was fetched from"),
    "school.changed": lazy_gettext("changed the school's settings"),
    "school.entered": lazy_gettext("entered the school"),
    "school.left": lazy_gettext("left the school"),
    "school.logo_changed": lazy_gettext("changed the logo"),
    "school.logo_removed": lazy_gettext("removed the logo"),
    "school.made": lazy_gettext("made a school"),
    "school.promoted": lazy_gettext("promoted the school to the next year"),
    "staff.changed": lazy_gettext("changed an account"),
    "staff.code_switched_off": lazy_gettext("switched an account's codes off"),
    "staff.disabled": lazy_gettext("disabled an account"),
    "staff.enabled": lazy_gettext("enabled an account"),
    "staff.locked": lazy_gettext("was locked after failed log-ins"),
    "staff.log_in": lazy_gettext("logged in"),
    "staff.log_in_failed": lazy_gettext("failed to log in"),
    "staff.log_out": lazy_gettext("logged out"),
    "staff.made": lazy_gettext("made an account"),
    "staff.oidc_linked": lazy_gettext("linked a single sign-on account"),
    "staff.password_changed": lazy_gettext("changed their password"),
    "staff.password_renewed": lazy_gettext("gave out a new one-time password"),
    "staff.recovery_code_used": lazy_gettext("used a recovery code"),
    "staff.recovery_codes_renewed": lazy_gettext("made new recovery codes"),
    "staff.sessions_ended": lazy_gettext("ended other log-ins"),
    "staff.set_up": lazy_gettext("set the server up"),
    "staff.totp_off": lazy_gettext("switched their codes off"),
    "staff.totp_on": lazy_gettext("switched their codes on"),
    "staff.unlocked": lazy_gettext("unlocked an account"),
    "student.boarding": lazy_gettext("changed whether a student boards"),
    "student.changed": lazy_gettext("changed a student"),
    "student.made": lazy_gettext("added a student"),
    "student.moved": lazy_gettext("moved a student to another homeroom"),
    "student.note_removed": lazy_gettext("removed a note on a student"),
    "student.erased": lazy_gettext("erased a student"),
    "student.exported": lazy_gettext("took away all that is kept on a student"),
    "student.noted": lazy_gettext("wrote a note on a student"),
    "student.numbers_removed": lazy_gettext("removed a student's identity numbers"),
    "student.numbers_seen": lazy_gettext("looked at a student's identity numbers"),
    "student.photo_changed": lazy_gettext("changed a student's photo"),
    "student.photo_removed": lazy_gettext("removed a student's photo"),
    "student.seen": lazy_gettext("looked at a student's record"),
    "student.status_changed": lazy_gettext("changed a student's status"),
    "term.changed": lazy_gettext("changed a term"),
    "term.made": lazy_gettext("made a term"),
    "term.removed": lazy_gettext("removed a term"),
    "student.day_seen": lazy_gettext("looked at a student's day"),
    "student.term_seen": lazy_gettext("looked at a student's term"),
    "timetable.changed": lazy_gettext("changed a timetable"),
    "timetable.ended": lazy_gettext("took a timetable out of use"),
    "timetable.hours_changed": lazy_gettext("changed a timetable's hours"),
    "timetable.made": lazy_gettext("made a timetable"),
    "token.made": lazy_gettext("made a token"),
    "token.revoked": lazy_gettext("revoked a token"),
    "webhook.changed": lazy_gettext("changed a webhook"),
    "webhook.disabled": lazy_gettext("switched a webhook off"),
    "webhook.enabled": lazy_gettext("switched a webhook on"),
    "webhook.gone": lazy_gettext("switched a webhook off whose receiver is gone"),
    "webhook.made": lazy_gettext("made a webhook"),
    "webhook.resent": lazy_gettext("sent a delivery again"),
    "webhook.secret_renewed": lazy_gettext("gave a webhook a new secret"),
    "webhook.tried": lazy_gettext("tried a webhook"),
}
"""Each action that is noted anywhere; a test holds this."""
_SUBJECTS: dict[str, LazyString] = {
    "audit": lazy_gettext("entry"),
    "calendar": lazy_gettext("entry of the calendar"),
    "card": lazy_gettext("card"),
    "campus": lazy_gettext("campus"),
    "evacuation": lazy_gettext("evacuation"),
    "guardian": lazy_gettext("guardian"),
    "homeroom": lazy_gettext("homeroom"),
    "job": lazy_gettext("background job"),
    "login": lazy_gettext("login"),
    "reader": lazy_gettext("reader"),
    "roster": lazy_gettext("roster"),
    "school": lazy_gettext("school"),
    "staff": lazy_gettext("account"),
    "student": lazy_gettext("student"),
    "term": lazy_gettext("term"),
    "timetable": lazy_gettext("timetable"),
    "token": lazy_gettext("token"),
    "webhook": lazy_gettext("webhook"),
}
_KINDS: dict[str, LazyString] = {
    "staff": lazy_gettext("account"),
    "token": lazy_gettext("token"),
    "command": lazy_gettext("command line"),
    "system": lazy_gettext("The system"),
    "nobody": lazy_gettext("not logged in"),
}


def action_word(action: str) -> str:
    """What an action is called; one that this release does not know stands as it is."""
    return str(ACTIONS.get(action, action))


def subject_word(subject: str) -> str:
    """Like "student 12"."""
    kind, colon, id_ = subject.partition(":")
    word = _SUBJECTS.get(kind)
    return f"{word} {id_}" if word and colon else subject


def actor_word(actor: ActorKey, name: str) -> str:
    """The name, or what is left when there is none: "account 12", "command line"."""
    if name:
        return name
    word = str(_KINDS.get(actor.kind, actor.kind))
    return word if actor.id is None else f"{word} {actor.id}"


def kind_options() -> list[tuple[str, str]]:
    """The actors that are not one member of staff, to choose from."""
    return [
        (kind, gettext("anybody with an account") if kind == "staff" else str(word))
        for kind, word in _KINDS.items()
    ]
