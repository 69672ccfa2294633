"""Parts of a page that come again and again are written once."""

from collections.abc import Callable, Iterable

from markupsafe import Markup


class Once:
    """A macro that is asked once for equal arguments: most cells of a long table are alike.

    Its arguments are hashable, and what it writes depends on them alone.
    """

    def __init__(self, write: Callable[..., Markup]) -> None:
        self._write = write
        self._written: dict[tuple[object, ...], Markup] = {}

    def __call__(self, *what: object) -> Markup:
        """What the macro writes for these."""
        found = self._written.get(what)
        if found is None:
            found = self._written[what] = self._write(*what)
        return found

    def all(self, several: Iterable[tuple[object, ...]]) -> Markup:
        """What it writes for each of them, one after the other."""
        return Markup("".join([self(*what) for what in several]))  # noqa: S704 - each is written
