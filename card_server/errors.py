"""The errors that people see, and what each code is in HTTP and at the command line."""

from enum import StrEnum


class Code(StrEnum):
    """What kind of thing went wrong."""

    INVALID = "invalid"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    UNAVAILABLE = "unavailable"


HTTP_STATUS = {
    Code.INVALID: 422,
    Code.NOT_ALLOWED: 403,
    Code.NOT_FOUND: 404,
    Code.CONFLICT: 409,
    Code.UNAVAILABLE: 503,
}

EXIT_CODE = {
    Code.INVALID: 65,
    Code.NOT_ALLOWED: 77,
    Code.NOT_FOUND: 66,
    Code.CONFLICT: 73,
    Code.UNAVAILABLE: 69,
}
"""By sysexits.h."""


class AppError(Exception):
    """Something that a person can answer: what happened, what was kept, what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
