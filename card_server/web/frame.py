"""What the frame around every page asks: where one is, where one may go, and how it is coloured."""

from flask import Flask

from card_server.access import caller_or_none, may, school_in_use
from card_server.web.next_page import this_page
from card_server.web.sections import open_sections, open_settings
from card_server.web.themes import Theme, choose_theme
from card_server.web.themes import pages as theme_pages


def add_frame(app: Flask, *, has_tray: bool) -> None:
    """Give the templates what the frame needs, and the switch between light and dark."""
    app.register_blueprint(theme_pages)
    app.jinja_env.globals.update(
        caller_or_none=caller_or_none,
        choose_theme=choose_theme,
        has_tray=has_tray,
        has_view=lambda endpoint: endpoint in app.view_functions,
        may=may,
        open_sections=open_sections,
        open_settings=open_settings,
        school_in_use=school_in_use,
        themes=list(Theme),
        this_page=this_page,
    )
