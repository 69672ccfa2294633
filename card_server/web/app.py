"""The Flask application: its parts put together, for staff and, in a demo, the card tray."""

from pathlib import Path

from flask import Flask, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Engine

from card_server.access import guard, public
from card_server.api.app import add_api
from card_server.audit.details import seal_details
from card_server.config import Settings
from card_server.web import (
    account_pages,
    attendance_rules_pages,
    audit_pages,
    board_pages,
    calendar_pages,
    callback_pages,
    campus_pages,
    card_pages,
    card_stock_pages,
    consent_wording_pages,
    correction_pages,
    desk_pages,
    district_message_pages,
    district_pages,
    district_staff_pages,
    enrolment_pages,
    evacuation_pages,
    exemption_pages,
    face_pages,
    file_pages,
    finding_pages,
    guard_pages,
    guardian_pages,
    hand_passage_pages,
    health_pages,
    homeroom_now_pages,
    homeroom_sheet_pages,
    job_pages,
    leave_pages,
    leave_register_pages,
    live_pages,
    message_pages,
    message_report_pages,
    message_rules_pages,
    message_text_pages,
    notice_pages,
    outbox_pages,
    paper_consent_pages,
    parent_consent_pages,
    parent_data_pages,
    parent_door_pages,
    parent_leave_pages,
    parent_link_pages,
    parent_pages,
    parent_wishes_pages,
    personal_pages,
    photo_pages,
    promotion_pages,
    ranking_pages,
    reader_pages,
    reader_settings_pages,
    recompute_pages,
    roll_call_pages,
    roster_column_pages,
    roster_export_pages,
    roster_pages,
    roster_photo_pages,
    roster_service_pages,
    search_pages,
    sending_pages,
    set_up_pages,
    settings_pages,
    staff_pages,
    student_card_pages,
    student_form_pages,
    student_pages,
    student_term_pages,
    style_pages,
    tap_pages,
    term_pages,
    timeline_pages,
    timetable_pages,
    today_pages,
    token_pages,
    totp_pages,
    tray_pages,
    waiting_pages,
    webhook_pages,
)
from card_server.web.addresses import RowConverter
from card_server.web.entering import open_door
from card_server.web.error_pages import show_errors
from card_server.web.formats import add_formats
from card_server.web.frame import add_frame
from card_server.web.headers import harden
from card_server.web.hub import Hub
from card_server.web.languages import speak
from card_server.web.morning import MorningPlayer
from card_server.web.oidc_pages import add_provider
from card_server.web.parent_entering import open_parents
from card_server.web.parent_frame import add_parent_frame

_BLUEPRINTS = (
    account_pages.pages,
    attendance_rules_pages.pages,
    audit_pages.pages,
    board_pages.pages,
    calendar_pages.pages,
    callback_pages.pages,
    campus_pages.pages,
    card_pages.pages,
    card_stock_pages.pages,
    consent_wording_pages.pages,
    correction_pages.pages,
    desk_pages.pages,
    district_message_pages.pages,
    district_pages.pages,
    district_staff_pages.pages,
    enrolment_pages.pages,
    evacuation_pages.pages,
    exemption_pages.pages,
    face_pages.pages,
    file_pages.pages,
    finding_pages.pages,
    guard_pages.pages,
    guardian_pages.pages,
    hand_passage_pages.pages,
    homeroom_now_pages.pages,
    homeroom_sheet_pages.pages,
    job_pages.pages,
    leave_pages.pages,
    leave_register_pages.pages,
    live_pages.pages,
    message_pages.pages,
    message_report_pages.pages,
    message_rules_pages.pages,
    notice_pages.pages,
    paper_consent_pages.pages,
    message_text_pages.pages,
    outbox_pages.pages,
    parent_consent_pages.pages,
    parent_data_pages.pages,
    parent_door_pages.pages,
    parent_leave_pages.pages,
    parent_link_pages.pages,
    parent_pages.pages,
    parent_wishes_pages.pages,
    personal_pages.pages,
    photo_pages.pages,
    promotion_pages.pages,
    ranking_pages.pages,
    reader_pages.pages,
    reader_settings_pages.pages,
    recompute_pages.pages,
    roll_call_pages.pages,
    roster_column_pages.pages,
    roster_export_pages.pages,
    roster_pages.pages,
    roster_photo_pages.pages,
    roster_service_pages.pages,
    search_pages.pages,
    sending_pages.pages,
    student_card_pages.pages,
    student_form_pages.pages,
    student_pages.pages,
    student_term_pages.pages,
    set_up_pages.pages,
    settings_pages.pages,
    staff_pages.pages,
    tap_pages.pages,
    term_pages.pages,
    timeline_pages.pages,
    timetable_pages.pages,
    today_pages.pages,
    token_pages.pages,
    totp_pages.pages,
    waiting_pages.pages,
    webhook_pages.pages,
)
_MAX_BODY = 64 * 1024


def create_app(settings: Settings, engine: Engine) -> Flask:
    """The application; nothing runs in the background before its first live page."""
    app = Flask(__name__, static_folder=None)
    app.url_map.converters["int"] = RowConverter
    app.config.update(
        SECRET_KEY=settings.web_secret,
        MAX_CONTENT_LENGTH=_MAX_BODY,
        # A board stays open all day: the token lives as long as the session that it belongs to.
        WTF_CSRF_TIME_LIMIT=None,
    )
    harden(app, settings.web_behind_tls)
    speak(app)
    add_formats(app)
    add_frame(app, has_tray=settings.tray_dir is not None)
    add_parent_frame(app)
    show_errors(app)
    callback_pages.open_callbacks(app, settings, CSRFProtect(app))
    seal_details(engine, settings.data_key)
    guard(app, engine)
    open_door(app, settings)
    open_parents(app, settings)
    sending_pages.open_sending(app, settings)
    webhook_pages.open_webhooks(app, settings)
    job_pages.open_jobs(app, settings)
    roster_pages.open_roster(app, settings)
    add_provider(app, settings)
    app.extensions["hub"] = Hub(engine, most=max(1, settings.web_threads * 2 // 3))
    for pages in _BLUEPRINTS:
        app.register_blueprint(pages)
    app.register_blueprint(health_pages.make_pages(engine))
    _add_first_page(app, settings.tray_dir)
    add_api(app, engine, per_minute=settings.api_per_minute, behind_tls=settings.web_behind_tls)
    return app


def close_app(app: Flask) -> None:
    """End what runs in the background: live pages and a morning that plays."""
    hub: Hub = app.extensions["hub"]
    hub.close()
    player: MorningPlayer | None = app.extensions.get("morning")
    if player:
        player.stop()


def _add_first_page(app: Flask, tray_dir: Path | None) -> None:
    if tray_dir is not None:
        app.extensions["tray_dir"] = tray_dir
        app.extensions["morning"] = MorningPlayer(tray_dir)
        app.register_blueprint(tray_pages.pages)
        app.register_blueprint(style_pages.pages)
        return

    @app.get("/", endpoint="first_page")
    @public
    def first_page() -> ResponseReturnValue:
        return redirect(url_for("account.home"))
