"""Personal numbers sealed for the database: AES-256-GCM to keep, keyed hash to find.

Source: NIST SP 800-38D (GCM, 96-bit random nonces), RFC 2104 (HMAC).
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from card_server.errors import AppError, Code

_VERSION = b"\x01"
_NONCE_BYTES = 12
_NOT_OURS = "What is sealed does not open: is this the data_key that sealed it?"


class Seal:
    """Seals, opens and hashes with keys drawn from the school server's data key."""

    def __init__(self, data_key: bytes) -> None:
        self._cipher = AESGCM(_derive(data_key, b"seal"))
        self._hash_key = _derive(data_key, b"hash")

    def close(self, text: str) -> bytes:
        """The sealed form of a text; another one each time."""
        return self.close_bytes(text.encode())

    def close_bytes(self, body: bytes) -> bytes:
        """The sealed form of any bytes; another one each time."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, body, _VERSION)

    def open(self, sealed: bytes) -> str:
        """The text again. Raises AppError(UNAVAILABLE) when this key did not seal it."""
        try:
            return self.open_bytes(sealed).decode()
        except UnicodeDecodeError as error:
            raise AppError(Code.UNAVAILABLE, _NOT_OURS) from error

    def open_bytes(self, sealed: bytes) -> bytes:
        """The bytes again. Raises AppError(UNAVAILABLE) when this key did not seal them."""
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, sealed[:1])
        except (InvalidTag, ValueError) as error:
            raise AppError(Code.UNAVAILABLE, _NOT_OURS) from error

    def hash(self, text: str) -> bytes:
        """32 bytes that find equal texts and tell nothing without the key."""
        return hmac.digest(self._hash_key, text.encode(), hashlib.sha256)


def _derive(data_key: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(SHA256(), 32, purpose).derive(data_key)
