"""A school's readers as its administrator sets them up (读卡器设置)."""

from dataclasses import asdict
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import actor, allow, school_in_use, school_session
from card_server.cards.byte_order import turn
from card_server.register import campuses, readers
from card_server.register.retiring import bring_back, retire_reader
from card_server.reports.reader_report import read_readers
from card_server.web.changing import NOTHING_WRONG, Wrong, seen_by_form, try_change
from card_server.web.history import show_history
from card_server.web.tables import Column, cut_page, read_asked
from schema.tables.readers import ByteOrder, Direction, Purpose, ReaderHealth
from schema.tables.school import School
from schema.tables.staff import Role

_SAMPLE = "04A1B2C3"

pages = Blueprint("reader_settings", __name__)


@pages.get("/settings/readers")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show() -> ResponseReturnValue:
    """The readers in use, with their card lists and when they were heard; or the retired ones."""
    school, now = school_in_use(), datetime.now(UTC)
    asked = read_asked(("name", "place", "cards", "seen"), ("retired",))
    with school_session() as session:
        readers_all = read_readers(session, school.id, school.cards_version, now)
        places = campuses.list_campuses(session, school.id)
    retired = sum(one.retired_at is not None for one in readers_all)
    wants_retired = "retired" in asked.filters and retired > 0
    found = [one for one in readers_all if (one.retired_at is not None) == wants_retired]
    keys = {
        "name": lambda one: one.name,
        "place": lambda one: one.place,
        "cards": lambda one: one.health.cards_version if one.health else -1,
        "seen": lambda one: one.health.seen_at.timestamp() if one.health else 0.0,
    }
    columns = [
        Column(gettext("Name"), "name"),
        Column(gettext("Place"), "place"),
        Column(gettext("Direction")),
        Column(gettext("Card list"), "cards", is_number=True),
        Column(gettext("Last heard"), "seen"),
        Column(gettext("Software"), is_minor=True),
    ]
    return render_template(
        "settings_readers.html",
        page=cut_page(asked.sorted(found, keys), asked),
        asked=asked,
        columns=columns,
        campuses={one.id: one.name for one in places},
        cards_version=school.cards_version,
        retired=retired,
        now=now,
    )


@pages.get("/settings/readers/new")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_new() -> ResponseReturnValue:
    """The form for a new reader."""
    return _show_new(NOTHING_WRONG)


@pages.post("/settings/readers/new")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def add() -> ResponseReturnValue:
    """Make a reader, and go where the commands for its certificate stand."""
    form, school_id, made = request.form, school_in_use().id, list[int]()
    wrong = try_change(
        lambda session: made.append(
            readers.add_reader(
                session, actor(), school_id, form.get("code", ""), readers.read_settings(form)
            ).id
        )
    )
    if wrong.errors:
        return _show_new(wrong)
    flash(gettext("The reader is there. Now make its certificate."), "good")
    return redirect(url_for("reader_settings.show_reader", reader_id=made[0]))


def _show_new(wrong: Wrong) -> ResponseReturnValue:
    page = render_template(
        "settings_new_reader.html", values=request.form, errors=wrong.errors, **_choices()
    )
    return page, wrong.status


@pages.get("/settings/readers/<int:reader_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def show_reader(reader_id: int) -> ResponseReturnValue:
    """One reader: its settings, its certificate, what was last heard of it."""
    return _show_reader(reader_id, NOTHING_WRONG)


@pages.post("/settings/readers/<int:reader_id>")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def change(reader_id: int) -> ResponseReturnValue:
    """Change what a reader is called, where it stands, which way it goes and how it reads."""
    form, school_id = request.form, school_in_use().id
    wrong = try_change(
        lambda session: readers.change_reader(
            session,
            actor(),
            school_id,
            reader_id,
            readers.read_settings(form),
            form.get("seen", ""),
        )
    )
    if wrong.errors:
        return _show_reader(reader_id, wrong, form.to_dict())
    flash(gettext("Saved."), "good")
    return redirect(url_for("reader_settings.show_reader", reader_id=reader_id))


@pages.post("/settings/readers/<int:reader_id>/retire")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def retire(reader_id: int) -> ResponseReturnValue:
    """Take a reader out of use: nothing waits for it any more."""
    reason, school_id, now = request.form.get("reason", ""), school_in_use().id, datetime.now(UTC)
    wrong = try_change(
        lambda session: retire_reader(session, actor(), school_id, reader_id, reason, now)
    )
    if wrong.errors:
        return _show_reader(reader_id, NOTHING_WRONG, use=wrong)
    flash(gettext("The reader is retired. What waited for it alone is judged in a minute."), "good")
    return redirect(url_for("reader_settings.show_reader", reader_id=reader_id))


@pages.post("/settings/readers/<int:reader_id>/bring-back")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
def return_to_use(reader_id: int) -> ResponseReturnValue:
    """Use a retired reader again."""
    reason, school_id = request.form.get("reason", ""), school_in_use().id
    wrong = try_change(lambda session: bring_back(session, actor(), school_id, reader_id, reason))
    if wrong.errors:
        return _show_reader(reader_id, NOTHING_WRONG, use=wrong)
    flash(gettext("The reader is in use again."), "good")
    return redirect(url_for("reader_settings.show_reader", reader_id=reader_id))


def _show_reader(
    reader_id: int,
    wrong: Wrong,
    typed: dict[str, str] | None = None,
    use: Wrong = NOTHING_WRONG,
) -> ResponseReturnValue:
    school, now = school_in_use(), datetime.now(UTC)
    with school_session() as session:
        found = readers.find_reader(session, school.id, reader_id)
        health = session.get(ReaderHealth, reader_id)
        school_code = session.get_one(School, school.id).code
        history = show_history(session, school.id, [f"reader:{reader_id}"])
    stored = asdict(readers.settings_of(found))
    page = render_template(
        "settings_reader.html",
        reader=found,
        health=health,
        school_code=school_code,
        cards_version=school.cards_version,
        values=typed or stored,
        errors=wrong.errors,
        seen=seen_by_form(stored, typed, wrong),
        use_errors=use.errors,
        reason=request.form.get("reason", ""),
        history=history,
        now=now,
        **_choices(),
    )
    return page, max(wrong.status, use.status)


def _choices() -> dict[str, object]:
    with school_session() as session:
        places = campuses.list_campuses(session, school_in_use().id)
    return {
        "campuses": [(one.id, one.name) for one in places],
        "purposes": list(Purpose),
        "directions": list(Direction),
        "byte_orders": [(one, _preview(one)) for one in ByteOrder],
    }


def _preview(order: ByteOrder) -> str:
    """An order, and what a reader that has it makes of a card."""
    read = turn(_SAMPLE, order)
    return f"{_SAMPLE} → {read}"
