"""How Aliyun calls us: receipts (SmsReport) and replies (SmsUp), pushed by HTTP in batches.

Source: https://help.aliyun.com/document_detail/101508.html (SmsReport) and …/101847.html (SmsUp).
Aliyun signs nothing, so the address that it is given ends in a key that only it knows.
"""

import hmac
import json
import re
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from integrations.sms.aliyun_codes import STILL_WAITING, explain_receipt
from integrations.sms.protocol import Callback, Fate, Forged, News, Reply, Report

TAKEN: Final = '{"code":0,"msg":"OK"}'
"""Anything else, and Aliyun sends the batch again."""
_MOBILE: Final = re.compile(r"(?:(?:\+|00)?86)?(1[3-9][0-9]{9})")
_ABROAD: Final = re.compile(r"(?:(?:\+|00)(?=[1-9])|(?=[2-9]))([0-9]{7,15})")
"""Without a prefix not with a 1: those are the networks' own numbers (106…)."""


def read_callback(callback: Callback, key: str) -> News:
    """What the batch tells. Raises Forged; ValueError when it cannot be read."""
    given = unquote(urlsplit(callback.url).path.rpartition("/")[2])
    if not key or not hmac.compare_digest(given.encode(), key.encode()):
        raise Forged("The address does not end in the key of Aliyun's callbacks")
    batch = _read_batch(callback.body)
    if batch is None:
        raise ValueError("Aliyun's request is no batch of receipts or replies")
    replies = (_read_reply(item) for item in batch if "content" in item)
    return News(
        tuple(_read_receipt(item) for item in batch if "content" not in item),
        tuple(reply for reply in replies if reply),
        TAKEN,
        "application/json",
    )


def _read_batch(body: bytes) -> list[dict[str, Any]] | None:
    """The batch, if it is one; an error would carry the whole body with it."""
    try:
        batch = json.loads(body)
    except (ValueError, RecursionError):
        return None
    is_batch = isinstance(batch, list) and all(isinstance(item, dict) for item in batch)
    return batch if is_batch else None


def _read_receipt(item: dict[str, Any]) -> Report:
    success, code = item.get("success"), _read_text(item, "err_code")
    ids = _read_text(item, "biz_id"), _read_text(item, "out_id")
    if not isinstance(success, bool) or not any(ids):
        raise ValueError("Aliyun's receipt does not say what became of which message")
    if success:
        return Report(Fate.DELIVERED, *ids)
    if code == STILL_WAITING:
        return Report(Fate.ACCEPTED, *ids)
    return Report(Fate.UNDELIVERED, *ids, *explain_receipt(code))


def _read_reply(item: dict[str, Any]) -> Reply | None:
    """None when it comes from no mobile phone, as notes of the networks do."""
    written, text = _read_text(item, "phone_number").strip(), _read_text(item, "content")
    if not written:
        raise ValueError("Aliyun's reply does not say whose it is")
    mobile, abroad = _MOBILE.fullmatch(written), _ABROAD.fullmatch(written)
    if mobile:
        return Reply(f"+86{mobile[1]}", text)
    return Reply(f"+{abroad[1]}", text) if abroad else None


def _read_text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text in Aliyun's request")
    return value
