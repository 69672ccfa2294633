"""The API's OpenAPI 3.1 document, made from its routes; as a program it writes the file anew."""

import sys

import msgspec
from sqlalchemy import create_engine

from card_server.api.app import create_api
from card_server.api.description import FILE


def encode_document() -> bytes:
    """The document as it is kept in FILE."""
    api = create_api(
        create_engine("sqlite://"), translations="", max_body=1, per_minute=1, behind_tls=True
    )
    return msgspec.json.format(msgspec.json.encode(api.spec), indent=2) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(encode_document())
    sys.stdout.write(f"{FILE}\n")
