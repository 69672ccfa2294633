"""The parents' page (家长页面): the child today and in the week, and the messages about it."""

from datetime import date, datetime, timedelta
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from card_server.access import now
from card_server.audit.writing import note
from card_server.leave.lists import slips_of_student
from card_server.messages.kinds import UNASKED
from card_server.parent_access import (
    child,
    for_consenting_parents,
    for_parents,
    forget_parent,
    parent,
    parent_actor,
    parent_change,
    parent_session,
)
from card_server.parents.links import end_links
from card_server.parents.sessions import end_session
from card_server.reports.child_days import read_child_days
from card_server.reports.guardian_messages import read_messages
from card_server.reports.homeroom_now import read_homeroom_now
from card_server.reports.sheet_rooms import SheetRoom
from card_server.school_time import day_of
from card_server.web.parent_entering import parents_pages
from card_server.words import parents as words
from card_server.words.attendance import TONES, day_tone
from card_server.words.leave import leave_time

pages = parents_pages("parents", __name__)
_BACK = timedelta(days=366)
_AHEAD = timedelta(days=60)
_MOST_MESSAGES = 30


@pages.get("/parent")
@for_parents
def home() -> ResponseReturnValue:
    """On to the child's day."""
    return redirect(url_for("parents.show_today", student_id=child().id))


@pages.get("/parent/children/<int:student_id>")
@for_consenting_parents
def show_today(student_id: int) -> ResponseReturnValue:
    """Where the child is now, and what became of today so far."""
    moment, school = now(), parent().school
    today = day_of(moment, school.zone)
    with parent_session() as session:
        there = read_homeroom_now(session, school, child().homeroom_id, moment)
        [found] = read_child_days(session, school.id, student_id, _room(), [today], school.zone)
        slips = slips_of_student(session, school.id, student_id, limit=20)
    pupil = next((one for one in there.pupils if one.student_id == student_id), None)
    return render_template(
        "parent_today.html",
        day=found,
        dark_gates=there.dark_gates,
        is_today=lambda when: day_of(when, school.zone) == today,
        lines=words.day_lines(found),
        pupil=pupil,
        slips=[one for one in slips if one.until_at > moment][:3],
        status=words.status_words(pupil),
        today=today,
        tone=TONES[pupil.status] if pupil else "",
        tones=TONES,
        coming=words.coming_words,
        written=_written,
    )


@pages.get("/parent/children/<int:student_id>/week")
@for_consenting_parents
def show_week(student_id: int) -> ResponseReturnValue:
    """Seven days: this week's from Monday, or those that begin on the day that `from` names."""
    school = parent().school
    today = day_of(now(), school.zone)
    monday = today - timedelta(days=today.weekday())
    first = _read_first(request.args.get("from"), monday)
    days = [first + timedelta(days=n) for n in range(7)]
    with parent_session() as session:
        found = read_child_days(session, school.id, student_id, _room(), days, school.zone)
    before, after = first - timedelta(days=7), first + timedelta(days=7)
    return render_template(
        "parent_week.html",
        after=after if after <= monday + _AHEAD else None,
        before=before if before >= monday - _BACK else None,
        coming=words.coming_words,
        day_tone=day_tone,
        days=found,
        is_this_week=first == monday,
        lines=words.day_lines,
        today=today,
        tones=TONES,
    )


@pages.get("/parent/children/<int:student_id>/messages")
@for_consenting_parents
def show_messages(student_id: int) -> ResponseReturnValue:
    """What the guardian was told of this child, the newest first."""
    who = parent()
    with parent_session() as session:
        found = read_messages(
            session,
            who.school.id,
            who.guardian_id,
            [student_id],
            UNASKED,
            _read_id(request.args.get("before")),
            _MOST_MESSAGES + 1,
        )
    return render_template(
        "parent_messages.html",
        messages=found[:_MOST_MESSAGES],
        older=found[_MOST_MESSAGES - 1].id if len(found) > _MOST_MESSAGES else None,
        state_tones=words.STATE_TONES,
        states=words.MESSAGE_STATES,
    )


@pages.post("/parent/sign-out")
@for_parents
def sign_out() -> ResponseReturnValue:
    """Sign out on this phone."""
    who = parent()
    with parent_change() as session:
        end_session(session, who, now())
        note(session, who.school.id, parent_actor(), "parent.signed_out", _subject())
    return forget_parent(make_response(redirect(url_for("parents.home"))))


@pages.post("/parent/sign-out-everywhere")
@for_parents
def sign_out_everywhere() -> ResponseReturnValue:
    """Sign out on all phones, and end every link: a new one comes from the school."""
    who = parent()
    with parent_change() as session:
        end_links(session, parent_actor(), who.school.id, who.guardian_id, now())
    return forget_parent(make_response(redirect(url_for("parents.home"))))


def _room() -> SheetRoom:
    one = child()
    return SheetRoom(one.homeroom_id, one.homeroom, one.grade)


def _read_first(text: str | None, monday: date) -> date:
    """The day that was asked for; this week's Monday for none, and for one too far away."""
    try:
        first = date.fromisoformat(text or "")
    except ValueError:
        return monday
    return first if monday - _BACK <= first <= monday + _AHEAD else monday


def _read_id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _written(from_at: datetime, until_at: datetime) -> str:
    return leave_time(from_at, until_at, parent().school.zone)


def _subject() -> str:
    return f"guardian:{parent().guardian_id}"
