"""What the audit log's actions, subjects and actors are called on its page."""

from flask_babel import LazyString, gettext, lazy_gettext

from card_server.audit.reading import ActorKey

ACTIONS: dict[str, LazyString] = {
    "audit.detail_seen": lazy_gettext("looked at an entry's details"),
    "audit.erased": lazy_gettext("erased details"),
    "export.taken": lazy_gettext("downloaded a list"),
    "homeroom.changed": lazy_gettext("changed a homeroom"),
    "homeroom.made": lazy_gettext("made a homeroom"),
    "reader.changed": lazy_gettext("changed a reader"),
    "reader.made": lazy_gettext("made a reader"),
    "school.changed": lazy_gettext("changed the school's settings"),
    "school.entered": lazy_gettext("entered the school"),
    "school.left": lazy_gettext("left the school"),
    "school.logo_changed": lazy_gettext("changed the logo"),
    "school.logo_removed": lazy_gettext("removed the logo"),
    "school.made": lazy_gettext("made a school"),
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
    "student.day_seen": lazy_gettext("looked at a student's day"),
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
    "homeroom": lazy_gettext("homeroom"),
    "login": lazy_gettext("login"),
    "reader": lazy_gettext("reader"),
    "school": lazy_gettext("school"),
    "staff": lazy_gettext("account"),
    "student": lazy_gettext("student"),
    "token": lazy_gettext("token"),
    "webhook": lazy_gettext("webhook"),
}
_KINDS: dict[str, LazyString] = {
    "staff": lazy_gettext("account"),
    "token": lazy_gettext("token"),
    "command": lazy_gettext("command line"),
    "system": lazy_gettext("the server itself"),
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
