"""A school's limits, prices and quiet hours for messages, as it settles them itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.calendar.hours import read_minute, write_minute
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from card_server.seen import changes, refuse_if_changed
from schema.tables.messages import MessageRules
from schema.tables.school import School

CURRENCIES: Final = ("CNY", "HKD", "MOP", "TWD", "SGD", "USD", "EUR", "GBP")
_MOST_MONEY = 1_000_000
_NO_MONEY = _("Write an amount from 0 to 1000000, with three decimals at most.")
_NO_PRICE = _("Write a price from 0 to 100, with three decimals at most: 0.045.")


@dataclass(frozen=True)
class Limits:
    """What a school settles for its messages; money in thousandths of the currency."""

    per_number: int
    per_number_and_kind: int
    per_student: int
    per_school: int
    money_per_day: int
    price_per_segment: int
    currency: str
    quiet_from: int
    """Minutes after midnight in the school's zone."""
    quiet_until: int


def rules_of(session: Session, school_id: int) -> MessageRules:
    """The school's rules; for a school that has settled none a row that is not in the session."""
    found = session.get(MessageRules, school_id)
    return found or default_rules(school_id)


def default_rules(school_id: int) -> MessageRules:
    """The rules of a school that has settled none."""
    columns = MessageRules.__table__.columns
    defaults: dict[str, Any] = {
        column.name: column.default.arg for column in columns if column.default is not None
    }
    return MessageRules(school_id=school_id, **defaults)


def limits_of(rules: MessageRules) -> Limits:
    """What the rules settle, without the switch."""
    return Limits(**{name: getattr(rules, name) for name in Limits.__dataclass_fields__})


def write_limits(limits: Limits) -> dict[str, str]:
    """The limits as a form shows them: money as 0.045, times as 22:00."""
    shown = {name: str(value) for name, value in asdict(limits).items()}
    for name in ("money_per_day", "price_per_segment"):
        shown[name] = write_money(getattr(limits, name))
    for name in ("quiet_from", "quiet_until"):
        shown[name] = write_minute(getattr(limits, name))
    return shown


def write_money(thousandths: int) -> str:
    """0.045, 0.09, 1000: no more decimals than it takes, and never one alone."""
    whole, rest = divmod(thousandths, 1000)
    if rest % 10:
        return f"{whole}.{rest:03}"
    return f"{whole}.{rest // 10:02}" if rest else str(whole)


def read_limits(typed: Mapping[str, str]) -> Limits:
    """What somebody typed, as `write_limits` shows it. Raises FieldsError."""
    wrong = Problems()
    limits = Limits(
        per_number=wrong.number("per_number", typed.get("per_number", ""), 1, 200),
        per_number_and_kind=wrong.number(
            "per_number_and_kind", typed.get("per_number_and_kind", ""), 1, 200
        ),
        per_student=wrong.number("per_student", typed.get("per_student", ""), 1, 200),
        per_school=wrong.number("per_school", typed.get("per_school", ""), 1, 1_000_000),
        money_per_day=_read_money(wrong, "money_per_day", typed, _MOST_MONEY, _NO_MONEY),
        price_per_segment=_read_money(wrong, "price_per_segment", typed, 100, _NO_PRICE),
        currency=_read_currency(wrong, typed.get("currency", "")),
        quiet_from=read_minute(wrong, "quiet_from", typed.get("quiet_from", "")),
        quiet_until=read_minute(wrong, "quiet_until", typed.get("quiet_until", "")),
    )
    wrong.refuse()
    return limits


def _read_money(wrong: Problems, field: str, typed: Mapping[str, str], most: int, said: str) -> int:
    """In thousandths; 0 with a word beside the field when it is no amount."""
    try:
        thousandths = Decimal(typed.get(field, "").strip()) * 1000
    except InvalidOperation:
        wrong.add(field, said)
        return 0
    if not thousandths.is_finite() or not 0 <= thousandths <= most * 1000 or thousandths % 1:
        wrong.add(field, said)
        return 0
    return int(thousandths)


def _read_currency(wrong: Problems, typed: str) -> str:
    if typed not in CURRENCIES:
        wrong.add("currency", _("Choose one of the currencies."))
    return typed


def save_rules(
    session: Session, actor: Actor, school_id: int, wanted: Limits, seen: str | None = None
) -> bool:
    """Whether anything changed. Raises AppError(CONFLICT) when it is not as it was seen."""
    row = lock_rules(session, school_id)
    before, after = asdict(limits_of(row)), asdict(wanted)
    refuse_if_changed(before, seen)
    if before == after:
        return False
    for name, value in after.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    shown_before, shown_after = write_limits(Limits(**before)), write_limits(wanted)
    details = changes(shown_before, shown_after)
    note(session, school_id, actor, "message_rules.changed", subject_of(school_id), details=details)
    return True


def lock_rules(session: Session, school_id: int) -> MessageRules:
    """The school's rules until the transaction ends; whoever changes them adds them itself."""
    # The school's row is the lock: where nothing is settled there is no other.
    session.get_one(School, school_id, with_for_update={"key_share": True})
    found = session.get(MessageRules, school_id, populate_existing=True)
    return found or default_rules(school_id)


def subject_of(school_id: int) -> str:
    """How the audit log names a school's messages."""
    return f"messages:{school_id}"
