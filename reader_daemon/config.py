"""The reader's settings: one frozen object, from a TOML file and the environment.

`READER_DAEMON_CONFIG` names the file; `READER_DAEMON_<NAME>` overrides a value of it, and
`READER_DAEMON_<NAME>_FILE` reads a value from a file, as systemd credentials want it.
"""

import os
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from schema.topics import CODE

PREFIX = "READER_DAEMON_"
Code = Annotated[str, Field(pattern=f"^{CODE.pattern}$")]


class SourceName(StrEnum):
    """Where cards are read."""

    PCSC = "pcsc"
    NFCPY = "nfcpy"
    TRAY = "tray"


class PcscLights(StrEnum):
    """Which lights a PC/SC reader has of its own."""

    NONE = "none"
    ACR122 = "acr122"


class FeedbackName(StrEnum):
    """How decisions are shown, besides the reader's own lights."""

    LOG = "log"
    TERMINAL = "terminal"
    GPIO = "gpio"
    SOUND = "sound"


class Purpose(StrEnum):
    """What this reader stands for."""

    GATE = "gate"
    """Cards are judged by the school's list."""
    DESK = "desk"
    """Cards are read for staff, who see on their page whose each is: every card is welcome."""


class LogLevel(StrEnum):
    """From which level on the log is written; debug shows card numbers."""

    DEBUG = "debug"
    INFO = "info"


class ConfigError(Exception):
    """Settings that nobody can run with; the text names each wrong value."""


class Settings(BaseSettings):
    """Everything that a reader has to be told."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    school: Code
    reader: Code
    """The codes that the server knows the school and this reader by."""
    purpose: Purpose = Purpose.GATE
    state_dir: Path
    """Where the spool and the card list are kept; not on a RAM disk."""
    source: SourceName
    pcsc_reader: str = ""
    """The reader's name as PC/SC reports it, or a part that only one reader's name has."""
    pcsc_lights: PcscLights = PcscLights.NONE
    nfcpy_path: str = "usb"
    """nfcpy's form: usb, usb:072f:2200, tty:AMA0:pn532, udp:localhost:54321."""
    tray_socket: Path | None = None
    feedback: list[FeedbackName] = [FeedbackName.LOG]
    gpio_green: int | None = None
    gpio_red: int | None = None
    gpio_relay: int | None = None
    """BCM numbers of the pins; the relay opens the gate."""
    gpio_relay_s: float = Field(default=1.0, gt=0, le=10)
    sound_device: str = "default"
    """ALSA's name of the loudspeaker: `aplay -L` lists them."""
    broker_host: str
    broker_port: int = 8883
    broker_ca: Path | None = None
    """The CA of the broker's certificate; without it the connection is not encrypted."""
    broker_cert: Path | None = None
    broker_key: Path | None = None
    repeat_s: float = Field(default=2.0, ge=0, le=60)
    """The same card again within this time is the same tap."""
    heartbeat_s: float = Field(default=15.0, gt=0, le=60)
    log_level: LogLevel = LogLevel.INFO

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.source is SourceName.PCSC and not self.pcsc_reader:
            raise ValueError("source is pcsc, but pcsc_reader is empty")
        if self.source is SourceName.TRAY and not self.tray_socket:
            raise ValueError("source is tray, but tray_socket is empty")
        pins = [self.gpio_green, self.gpio_red, self.gpio_relay]
        if FeedbackName.GPIO in self.feedback and pins == [None, None, None]:
            raise ValueError("feedback has gpio, but no gpio_… pin is given")
        if (self.broker_cert is None) != (self.broker_key is None):
            raise ValueError("broker_cert and broker_key come together")
        if self.broker_cert and not self.broker_ca:
            raise ValueError("broker_cert needs broker_ca")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which load_settings passes as init values."""
        return env_settings, init_settings


def load_settings(config: Path | None = None) -> Settings:
    """The settings of this process. Raises ConfigError that names each wrong value."""
    path = config or (
        Path(os.environ[f"{PREFIX}CONFIG"]) if f"{PREFIX}CONFIG" in os.environ else None
    )
    values: dict[str, Any] = {}
    try:
        if path:
            values |= tomllib.loads(path.read_text(encoding="utf-8"))
        for name in Settings.model_fields:
            secret = os.environ.get(f"{PREFIX}{name.upper()}_FILE")
            if secret:
                values[name] = Path(secret).read_text(encoding="utf-8").strip()
        return Settings(**values)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The settings cannot be read: {error}") from error
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()]
        where = path or f"the environment ({PREFIX}…)"
        raise ConfigError("\n".join([f"Settings in {where}:", *lines])) from error
