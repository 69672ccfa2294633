"""Which file reads which kind of source, by the name that the settings use."""

import importlib
from typing import Final, cast

from reader_daemon.config import Settings, SourceName
from reader_daemon.sources.protocol import Source

_MODULES: Final = {
    SourceName.PCSC: "reader_daemon.sources.pcsc",
    SourceName.NFCPY: "reader_daemon.sources.nfc",
    SourceName.TRAY: "reader_daemon.sources.tray",
}


def open_source(settings: Settings) -> Source:
    """The source. Imported only now: a box needs only its own reader's library."""
    module = importlib.import_module(_MODULES[settings.source])
    return cast("Source", module.open_source(settings))
