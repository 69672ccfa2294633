"""The texts of messages to parents (短信模板): what each says, how it looks, and what it costs."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from card_server.access import actor, allow, school_in_use, school_session
from card_server.field_errors import FieldsError
from card_server.messages import carrier_codes, own_texts
from card_server.messages.own_texts import OwnText, Preview, SlotError
from card_server.messages.texts import OBLIGATORY, SLOTS
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.formats import money
from card_server.web.history import show_history
from card_server.words.message_texts import carrier_word, encoding_word, slot_sentence, slot_word
from schema.tables.messages import MessageKind
from schema.tables.people import Language
from schema.tables.staff import Role

ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
HTML_LANGUAGES = {Language.CHINESE: "zh-CN", Language.ENGLISH: "en"}

pages = Blueprint("message_texts", __name__)


@pages.get("/settings/messages")
@allow(*ADMINS)
def show() -> ResponseReturnValue:
    """Every kind in every language, as a parent gets it."""
    school_id = school_in_use().id
    with school_session() as session:
        texts = own_texts.list_texts(session, school_id)
        previews = own_texts.preview_texts(session, school_id, texts)
        history = show_history(
            session, school_id, [own_texts.subject_of(one.kind, one.language) for one in texts]
        )
    both = list(zip(texts, previews, strict=True))
    rows = [
        (kind, [(one, preview) for one, preview in both if one.kind is kind])
        for kind in MessageKind
    ]
    return render_template(
        "message_texts.html", rows=rows, html_languages=HTML_LANGUAGES, history=history
    )


@pages.get("/settings/messages/<kind>/<language>")
@allow(*ADMINS)
def show_text(kind: str, language: str) -> ResponseReturnValue:
    """One text, to be edited, with how it looks."""
    return _show_text(*_read_key(kind, language), NOTHING_WRONG)


@pages.post("/settings/messages/<kind>/<language>")
@allow(*ADMINS)
def change(kind: str, language: str) -> ResponseReturnValue:
    """Keep another text."""
    key, form, school_id = _read_key(kind, language), request.form, school_in_use().id
    has_codes: list[bool] = []

    def save(session: Session) -> None:
        body = _read_body(key[0], form.get("body", ""))
        text = OwnText(*key, body, is_own=True)
        seen, may_be_long = form.get("seen", ""), bool(form.get("may_be_long"))
        is_new = own_texts.save_text(
            session, actor(), school_id, text, seen, may_be_long=may_be_long
        )
        codes = carrier_codes.list_codes(session, school_id, *key, body)
        has_codes.append(is_new and any(one.code for one in codes))

    wrong = try_change(save)
    if wrong.errors:
        return _show_text(*key, wrong, form.to_dict())
    flash(gettext("Saved."), "good")
    if has_codes[0]:
        flash(gettext("Let the carriers approve the new text, and put their new codes in."), "warn")
    return redirect(url_for("message_texts.show_text", kind=kind, language=language))


@pages.post("/settings/messages/<kind>/<language>/preview")
@allow(*ADMINS)
def preview(kind: str, language: str) -> ResponseReturnValue:
    """How what is being typed would arrive; nothing is kept."""
    key = _read_key(kind, language)
    with school_session() as session:
        found, said = _preview(session, *key, request.form.get("body", ""))
    return render_template("message_text_preview.html", **_preview_values(key[1], found, said))


@pages.post("/settings/messages/<kind>/<language>/restore")
@allow(*ADMINS)
def restore(kind: str, language: str) -> ResponseReturnValue:
    """Go back to the text that comes with the system."""
    key = _read_key(kind, language)
    try_change(lambda session: own_texts.restore_text(session, actor(), school_in_use().id, *key))
    flash(gettext("The text that comes with the system is back."), "good")
    return redirect(url_for("message_texts.show_text", kind=kind, language=language))


@pages.post("/settings/messages/<kind>/<language>/codes")
@allow(*ADMINS)
def save_codes(kind: str, language: str) -> ResponseReturnValue:
    """Keep the carriers' codes of this text."""
    key, form, school_id = _read_key(kind, language), request.form, school_in_use().id

    def save(session: Session) -> None:
        for provider in carrier_codes.WITH_CODES:
            field = f"code_{provider}"
            code = carrier_codes.read_code(form.get(field, ""), field)
            carrier_codes.save_code(session, actor(), school_id, *key, provider, code)

    wrong = try_change(save)
    if wrong.errors:
        return _show_text(*key, wrong, codes=form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("message_texts.show_text", kind=kind, language=language))


def _show_text(
    kind: MessageKind,
    language: Language,
    wrong: Wrong,
    typed: dict[str, str] | None = None,
    codes: dict[str, str] | None = None,
) -> ResponseReturnValue:
    school_id = school_in_use().id
    with school_session() as session:
        text = own_texts.find_text(session, school_id, kind, language)
        at_carriers = carrier_codes.list_codes(session, school_id, kind, language, text.body)
        found, said = _preview(
            session, kind, language, text.body if typed is None else typed.get("body", "")
        )
        history = show_history(session, school_id, [own_texts.subject_of(kind, language)])
    stored = own_texts.values_of(text.body)
    page = render_template(
        "message_text.html",
        text=text,
        values=typed or stored,
        errors={} if codes else wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
        slots=[(name, slot_word(name), name in OBLIGATORY[kind]) for name in SLOTS[kind]],
        carriers=[(one, carrier_word(one.provider)) for one in at_carriers],
        code_values=codes or {f"code_{one.provider}": one.code for one in at_carriers},
        code_errors=wrong.errors if codes else {},
        history=history,
        most=own_texts.MOST,
        **_preview_values(language, found, said),
    )
    return page, wrong.status


def _preview(
    session: Session, kind: MessageKind, language: Language, typed: str
) -> tuple[Preview | None, dict[str, str]]:
    """How a text would arrive; or, of one that cannot be kept, why not."""
    try:
        body = _read_body(kind, typed)
    except FieldsError as error:
        return None, {name: gettext(said) for name, said in error.fields.items()}
    return own_texts.preview_text(session, school_in_use().id, kind, language, body), {}


def _preview_values(
    language: Language, found: Preview | None, said: dict[str, str]
) -> dict[str, object]:
    return {
        "preview": found,
        "preview_errors": said,
        "html_language": HTML_LANGUAGES[language],
        "encoding": encoding_word(found.size.encoding) if found else "",
        "price": money(found.price, found.currency) if found else "",
    }


def _read_body(kind: MessageKind, typed: str) -> str:
    """Raises FieldsError whose sentence names the slot."""
    try:
        return own_texts.read_body(kind, typed)
    except SlotError as error:
        raise FieldsError({"body": slot_sentence(error)}) from error


def _read_key(kind: str, language: str) -> tuple[MessageKind, Language]:
    if kind not in list(MessageKind) or language not in list(Language):
        raise NotFound
    return MessageKind(kind), Language(language)
