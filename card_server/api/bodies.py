"""What a body names: when it is not there, that is no 404, which speaks of the address."""

from collections.abc import Iterator
from contextlib import contextmanager

from card_server.errors import AppError, Code


@contextmanager
def named_in_body() -> Iterator[None]:
    """Raises AppError(CONFLICT) in the place of NOT_FOUND."""
    try:
        yield
    except AppError as error:
        if error.code is not Code.NOT_FOUND:
            raise
        raise AppError(Code.CONFLICT, error.message) from error
