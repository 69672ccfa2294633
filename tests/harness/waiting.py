"""Waiting for a condition, bounded in time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(
    condition: Callable[[], T],
    timeout_s: float = 20,
    what: str = "the condition",
    each_s: float = 0.01,
) -> T:
    """The first truthy value of the condition, asked each so often. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s} s for {what}; last value: {value!r}")
        time.sleep(each_s)
