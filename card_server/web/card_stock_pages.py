"""Taking cards into stock (入库): a list, how its numbers are to be read, and what comes of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext, ngettext

from card_server.access import allow, school_in_use, school_session
from card_server.cards.notations import Notation
from card_server.errors import AppError, Code
from card_server.imports.card_list import (
    CardLine,
    UnreadableError,
    Way,
    find_ways,
    lost_digits,
    read_file,
    read_pasted,
    write_plain,
)
from card_server.imports.card_stock import Planned, plan_list, take_list
from card_server.reports.desk import FRESH, list_desks, next_taps
from card_server.web.card_pages import ADMINS, doing_now
from card_server.web.changing import try_change
from card_server.words.roster import say_finding
from schema.tables.cards import CardKind
from schema.tables.readers import Reader

_MAX_UPLOAD = 4 * 1024 * 1024
_MAX_TEXT = 2 * 1024 * 1024
_SHOWN = 200
NOTATIONS = {
    Notation.HEX: lazy_gettext("hex, as the card sends it"),
    Notation.HEX_REVERSED: lazy_gettext("hex, last byte first"),
    Notation.DECIMAL_10: lazy_gettext("10 decimal digits, as the card sends it"),
    Notation.DECIMAL_10_REVERSED: lazy_gettext("10 decimal digits, last byte first (usual)"),
    Notation.DECIMAL_8: lazy_gettext("8 decimal digits (3 and 5)"),
    Notation.DECIMAL_8_REVERSED: lazy_gettext("8 decimal digits (3 and 5), last byte first"),
    Notation.WIEGAND_26: lazy_gettext("Wiegand 26"),
    Notation.WIEGAND_26_REVERSED: lazy_gettext("Wiegand 26, last byte first"),
    Notation.WIEGAND_34: lazy_gettext("Wiegand 34"),
    Notation.WIEGAND_34_REVERSED: lazy_gettext("Wiegand 34, last byte first"),
}

pages = Blueprint("card_stock", __name__)


@pages.url_value_preprocessor
def _allow_upload(endpoint: str | None, _values: object) -> None:
    """Before anything reads the form, which the check of its token does first of all."""
    if endpoint in ("card_stock.read", "card_stock.take"):
        request.max_content_length = _MAX_UPLOAD
        request.max_form_memory_size = _MAX_TEXT


@dataclass(frozen=True)
class Preview:
    """A list on its way: its lines, the ways to read it, and what the chosen way makes of it."""

    lines: list[CardLine]
    ways: list[Way]
    spoilt: list[int]
    notation: Notation | None
    planned: list[Planned]
    tapped: str

    @property
    def faults(self) -> list[Planned]:
        return [one for one in self.planned if one.fault]


@pages.get("/cards/stock")
@allow(*ADMINS)
def show() -> ResponseReturnValue:
    """The empty form."""
    return render_template("card_stock.html", values={}, errors={}, preview=None)


@pages.post("/cards/stock")
@allow(*ADMINS)
def read() -> ResponseReturnValue:
    """The list as it can be read; staff choose when there is more than one way."""
    try:
        preview = _preview(_read_lines())
    except UnreadableError as error:
        return _again({"file": say_finding(error.kind, error.value, error.expected)})
    except AppError as error:
        return _again({"list": gettext(error.message)})
    return _show(preview)


@pages.post("/cards/stock/take")
@allow(*ADMINS)
def take() -> ResponseReturnValue:
    """Take the whole list, or nothing of it."""
    try:
        preview = _preview(read_pasted(request.form.get("list", "")))
    except AppError as error:
        return _again({"list": gettext(error.message)})
    if preview.notation is None:
        return _show(preview, {"notation": gettext("Choose how the numbers are written.")})
    kind = CardKind.TEMPORARY if request.form.get("kind") == "temporary" else CardKind.PERMANENT
    done: list[tuple[int, int]] = []
    wrong = try_change(
        lambda session: done.append(take_list(session, doing_now(), preview.planned, kind))
    )
    if wrong.errors:
        return _show(preview, wrong.errors)
    [(stocked, given)] = done
    flash(
        gettext("%(stocked)s taken into stock, %(given)s given out.", stocked=stocked, given=given),
        "good",
    )
    return redirect(url_for("cards.show"))


@pages.post("/cards/stock/tapped")
@allow(*ADMINS)
def tapped() -> ResponseReturnValue:
    """The card that was just held to a desk's reader, to compare the list with."""
    form, school_id = request.form, school_in_use().id
    reader_id = form.get("reader", type=int)
    try:
        after = datetime.fromisoformat(form.get("after", "")).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise AppError(Code.INVALID, "This page is too old. Open it again.") from error
    since = max(after, datetime.now(UTC) - FRESH)
    with school_session() as session:
        taps = next_taps(session, school_id, reader_id, since, 50) if reader_id else []
    if not taps:
        return Response(status=204)
    return render_template("card_stock_tapped.html", tap=taps[-1])


def _read_lines() -> list[CardLine]:
    """From the file, else from what was pasted."""
    sent = request.files.get("file")
    body = sent.read() if sent else b""
    if body:
        return read_file(body, (sent.filename if sent else "") or "list")
    return read_pasted(request.form.get("list", ""))


def _preview(lines: list[CardLine]) -> Preview:
    """Nothing is guessed: a way counts as chosen when it is the only one, or staff chose it."""
    form = request.form
    tapped_uid = form.get("tapped", "")[:20]
    ways = find_ways(lines, tapped_uid)
    possible = [way.notation for way in ways if way.is_possible]
    wanted = form.get("notation", "")
    notation = Notation(wanted) if wanted in list(Notation) else None
    if notation is None and len(ways) == 1 and len(possible) == 1:
        notation = possible[0]
    planned: list[Planned] = []
    if notation is not None:
        with school_session() as session:
            planned = plan_list(session, school_in_use().id, lines, notation)
    return Preview(lines, ways, lost_digits(lines), notation, planned, tapped_uid)


def _show(preview: Preview, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    now = datetime.now(UTC)
    page = render_template(
        "card_stock.html",
        values=request.form,
        errors=errors or {},
        preview=preview,
        plain=write_plain(preview.lines),
        notations=NOTATIONS,
        desks=_desks(),
        after=(now - timedelta(seconds=1)).isoformat(),
        shown=_SHOWN,
        given=sum(one.student_id is not None for one in preview.planned),
        count=ngettext("%(num)s line", "%(num)s lines", len(preview.lines)),
    )
    return page, 422 if errors else 200


def _desks() -> list[Reader]:
    with school_session() as session:
        return list_desks(session, school_in_use().id)


def _again(errors: dict[str, str]) -> ResponseReturnValue:
    page = render_template("card_stock.html", values=request.form, errors=errors, preview=None)
    return page, 422
