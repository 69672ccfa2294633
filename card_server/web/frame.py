"""What the frame around every page asks: where one is, where one may go, and how it is coloured."""

from flask import Flask, g, url_for

from card_server.access import caller_or_none, known_caller, may, school_in_use
from card_server.staff.sessions import SchoolInUse
from card_server.theme import Theme
from card_server.web.addresses import keep_addresses
from card_server.web.next_page import this_page
from card_server.web.once import Once
from card_server.web.row_addresses import row_address
from card_server.web.sections import open_sections, open_tabs
from card_server.web.themes import choose_theme
from card_server.web.themes import pages as theme_pages


def add_frame(app: Flask, *, has_tray: bool) -> None:
    """Give the templates what the frame needs, and the switch between light and dark."""
    app.register_blueprint(theme_pages)
    keep_addresses(app)
    app.jinja_env.globals.update(
        caller_or_none=caller_or_none,
        choose_theme=choose_theme,
        has_tray=has_tray,
        has_view=lambda endpoint: endpoint in app.view_functions,
        known_caller=known_caller,
        logo_address=logo_address,
        may=may,
        once=Once,
        row_address=row_address,
        open_sections=open_sections,
        open_tabs=open_tabs,
        school_in_use=school_in_use,
        student_address=student_address,
        themes=list(Theme),
        this_page=this_page,
    )


def student_address(student_id: int) -> str:
    """The page of a student that the caller may see; empty where there is none.

    Lists name many students: which page it is, and how its address looks, is found out once.
    """
    if "student_page" not in g:
        g.student_page = _student_page()
    before, after = g.student_page
    return f"{before}{student_id}{after}" if before else ""


def _student_page() -> tuple[str, str]:
    """What stands before and after the id in the address."""
    for endpoint in ("students.show_student", "student_cards.show"):
        if may(endpoint):
            before, _, after = url_for(endpoint, student_id=0).rpartition("0")
            return before, after
    return "", ""


def logo_address(school: SchoolInUse) -> str:
    """Where the logo of the caller's school is; another one for each school and each picture."""
    chosen_ms = round(school.logo_at.timestamp() * 1000) if school.logo_at else 0
    return url_for("settings.show_logo", of=school.id, at=chosen_ms)
