"""How pages write times, in the school's zone, spans, sizes and money."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, get_currency_name
from flask import Flask
from flask_babel import get_locale, gettext, ngettext

from card_server.access import zone_in_use
from card_server.words.cards import card_number
from card_server.words.choices import rejection_word, word
from card_server.words.failures import carrier_word, failure
from card_server.words.grades import grade_word


def add_formats(app: Flask) -> None:
    """Give the templates these filters."""
    app.jinja_env.filters.update(
        hour=hour,
        second=second,
        moment=moment,
        recent=recent,
        day=iso_day,
        date=written_day,
        ago=ago,
        card=card_number,
        size=size,
        money=money,
    )
    app.jinja_env.filters.update(
        word=word, rejection=rejection_word, grade=grade_word, failure=failure, carrier=carrier_word
    )


def hour(when: datetime | None) -> str:
    """07:32, or a dash for a time that has not come."""
    if when is None:
        return "–"
    # A page has hundreds of times, and `strftime` takes four times as long.
    there = _there(when)
    return f"{there.hour:02}:{there.minute:02}"


def second(when: datetime | None) -> str:
    """07:32:10, or a dash."""
    if when is None:
        return "–"
    there = _there(when)
    return f"{there.hour:02}:{there.minute:02}:{there.second:02}"


def moment(when: datetime | None) -> str:
    """2026-09-01 07:32:10, or a dash."""
    return f"{_there(when).date()} {second(when)}" if when else "–"


def recent(when: datetime | None) -> str:
    """The time alone for one of today; with its day for an older one."""
    if when is None:
        return "–"
    local, now = _there(when), _there(datetime.now(UTC))
    return local.strftime("%H:%M:%S" if local.date() == now.date() else "%m-%d %H:%M:%S")


def _there(when: datetime) -> datetime:
    """As the school's clocks show it."""
    return when.astimezone(zone_in_use())


def written_day(day: date, length: str = "long") -> str:
    """As people write it: 2026年9月1日, September 1, 2026; `full` says the day of the week too."""
    return _write_day(day, length, get_locale())


def written_days(days: Iterable[date], length: str = "long") -> dict[date, str]:
    """Many of them; a calendar has a hundred, and each asks anew in which language."""
    locale = get_locale()
    return {day: _write_day(day, length, locale) for day in days}


@lru_cache(maxsize=4_096)
def _write_day(day: date, length: str, locale: Locale | None) -> str:
    """Kept, because a sheet writes each day several times and Babel takes long over it."""
    return str(format_date(day, length, locale))


def iso_day(day: date) -> str:
    """2026-09-01."""
    return day.isoformat()


def ago(when: datetime, now: datetime) -> str:
    """How long before `now` something was, in the largest whole unit."""
    seconds = max(0, int((now - when).total_seconds()))
    if seconds < 60:
        return str(gettext("%(seconds)s s ago", seconds=seconds))
    if seconds < 3600:
        return str(gettext("%(minutes)s min ago", minutes=seconds // 60))
    if seconds < 86_400:
        return str(gettext("%(hours)s h ago", hours=seconds // 3600))
    return str(ngettext("%(num)s day ago", "%(num)s days ago", seconds // 86_400))


def size(of_bytes: int) -> str:
    """How large a file or a disk is, in the largest unit of a thousand that gives one at least."""
    if of_bytes < 1000:
        return str(gettext("%(size)s bytes", size=of_bytes))
    amount, unit = of_bytes / 1000, "KB"
    for larger in ("MB", "GB", "TB"):
        # What would be written as 1000 is one of the next.
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.3g} {unit}"


def money(thousandths: int, currency: str) -> str:
    """¥0.045, US$12.50: an SMS costs fractions of the smallest coin."""
    amount, locale = Decimal(thousandths) / 1000, get_locale()
    return str(format_currency(amount, currency, "¤#,##0.00#", locale, currency_digits=False))


def currency_name(currency: str) -> str:
    """人民币 (CNY), Chinese Yuan (CNY)."""
    return f"{get_currency_name(currency, locale=get_locale())} ({currency})"
