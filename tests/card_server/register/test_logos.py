"""A logo is known by its first bytes, whatever it is called."""

import pytest

from card_server.field_errors import FieldsError
from card_server.register.logos import MAX_BYTES, read_logo

_PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("begins", "media_type"),
    [
        (_PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
    ],
)
def test_a_picture_is_kept_as_it_came(begins: bytes, media_type: str) -> None:
    body = begins.ljust(MAX_BYTES, b"\0")
    assert read_logo(body) == (media_type, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<svg onload='alert(1)'/>",
        b"<html><script>alert(1)</script>",
        b"GIF89a",
        b"RIFF\x00\x00\x00\x00WAVE",
        b" " + _PNG,
        _PNG.ljust(MAX_BYTES + 1, b"\0"),
    ],
    ids=["empty", "svg", "html", "gif", "sound", "space before", "large"],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(FieldsError) as caught:
        read_logo(body)
    assert set(caught.value.fields) == {"logo"}
