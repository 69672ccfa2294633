"""Whether something still is as a page showed it, so that two do not overwrite each other.

A form carries the fingerprint of what it showed; it is compared under the row's lock.
"""

import hashlib
from collections.abc import Mapping

from card_server.errors import AppError, Code


def fingerprint(values: Mapping[str, object]) -> str:
    """A short digest of what a form shows; no secret and no proof, only a comparison."""
    written = "\x1f".join(f"{name}={values[name]!r}" for name in sorted(values))
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def refuse_if_changed(values: Mapping[str, object], seen: str | None) -> None:
    """Raise AppError(CONFLICT) when the values are no longer those that were seen.

    None for `seen` is a caller who did not look before and means to overwrite.
    """
    if seen is not None and fingerprint(values) != seen:
        raise AppError(
            Code.CONFLICT,
            "Somebody else has changed this since you opened the page, and nothing was saved. "
            "Their change stands in the list below; save again to put yours in its place.",
        )


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, object]:
    """What is different: each value's before and after, as the audit log keeps them."""
    return {name: [before[name], after[name]] for name in after if before[name] != after[name]}
