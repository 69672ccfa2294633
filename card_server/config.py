"""The server's settings: one frozen object per process, from a TOML file and the environment.

`CARD_SERVER_CONFIG` names the file; `CARD_SERVER_<NAME>` overrides a value of it, and
`CARD_SERVER_<NAME>_FILE` reads a value from a file, as systemd credentials want it.
"""

import base64
import binascii
import os
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from card_server.errors import AppError, Code

PREFIX = "CARD_SERVER_"


class LinkBy(StrEnum):
    """What of a log-in provider's word must equal a login, for the two to be linked."""

    EMAIL = "email"
    """The e-mail address, if the provider has verified it."""
    PREFERRED_USERNAME = "preferred_username"
    """Only where people cannot choose this name for themselves."""
    NONE = "none"


class Settings(BaseSettings):
    """Everything that a server process has to be told; nothing secret has a default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str
    """SQLAlchemy's form: postgresql+psycopg://… or sqlite:////absolute/path."""
    data_key: bytes
    """32 bytes, base64: seals phone numbers. Losing it loses them."""
    web_secret: str
    """At least 32 characters: signs cookies."""
    web_host: str = "127.0.0.1"
    web_port: int = 8080
    web_threads: int = 48
    """Requests at once; each live page holds one."""
    api_per_minute: int = 600
    """Requests that one API token may make in a minute, in each web process."""
    web_behind_tls: bool = True
    """Whether browsers reach the server by https; only a demo on loopback says no."""
    web_proxy: str = "127.0.0.1"
    """The address from which the web server with TLS calls: it alone is believed who calls."""
    web_address: str = ""
    """How browsers reach the server (https://card.school.example), for links that are printed."""
    failures_per_address: int = Field(default=5, ge=5)
    """Failed log-ins within 15 minutes that lock an address; more where many share one."""
    totp_required: bool = False
    """Whether each account must set up a phone's codes before anything else (level 3)."""
    oidc_issuer: str = ""
    """A provider of log-ins (OpenID Connect), https://…; empty when there is none."""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_name: str = "OpenID Connect"
    """What the button says after "Log in with"."""
    oidc_link_by: LinkBy = LinkBy.EMAIL
    broker_host: str = "127.0.0.1"
    broker_port: int = 8884
    """The broker's listener for the server; readers have another one."""
    broker_ca: Path | None = None
    """The CA of the broker's certificate; without it the connection is not encrypted."""
    broker_cert: Path | None = None
    broker_key: Path | None = None
    sms_providers: Annotated[tuple[str, ...], NoDecode] = ("console",)
    """Who carries the messages to parents: the first, and if it says no, the next."""
    aliyun_access_key_id: str = ""
    aliyun_access_key_secret: str = ""
    aliyun_base_url: str = ""
    """As with the others below: empty for the carrier's own address."""
    aliyun_callback_key: str = ""
    """At the end of the address that receipts are sent to: they carry no signature."""
    tencent_secret_id: str = ""
    tencent_secret_key: str = ""
    tencent_sdk_app_id: str = ""
    tencent_region: str = "ap-guangzhou"
    tencent_base_url: str = ""
    tencent_callback_key: str = ""
    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    twilio_sender: str = ""
    """A number in E.164, or a messaging service (MG…)."""
    twilio_base_url: str = ""
    wecom_corp_id: str = ""
    wecom_secret: str = ""
    """Of the app that parents may use (家长可使用的应用); that of 家校沟通 itself may not send."""
    wecom_agent_id: str = ""
    wecom_base_url: str = ""
    ingest_health_port: int = 9101
    notify_health_port: int = 9102
    clock_health_port: int = 9103
    """Where /live, /ready and /metrics of each process answer, on loopback; 0 takes any."""
    webhook_allow_private: bool = False
    """Whether webhooks may lead into private networks, and without TLS to this very machine."""
    webhook_ca: Path | None = None
    """A file of certificates that webhooks trust instead of the public ones."""
    tray_dir: Path | None = None
    """Where the card trays of a demo listen; None anywhere else."""

    @field_validator("data_key", mode="before")
    @classmethod
    def _decode_key(cls, value: Any) -> bytes:
        try:
            key = base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise ValueError("not base64") from error
        if len(key) != 32:
            raise ValueError("not 32 bytes; `card-server new-key` makes one")
        return key

    @field_validator("web_secret")
    @classmethod
    def _long_secret(cls, value: str) -> str:
        if len(value) < 32:
            raise ValueError("shorter than 32 characters; `card-server new-key` makes one")
        return value

    @field_validator("sms_providers", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        """The environment has "aliyun, twilio" where a file may have a list."""
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("sms_providers")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("empty; `console` tells nobody")
        if len(set(value)) < len(value):
            raise ValueError("names one twice")
        return value

    @model_validator(mode="after")
    def _complete_log_in_provider(self) -> "Settings":
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret):
            raise ValueError("oidc_issuer needs oidc_client_id and oidc_client_secret")
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
    """The settings of this process. Raises AppError(INVALID) that names each wrong value."""
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
        raise AppError(Code.INVALID, f"The settings cannot be read: {error}") from error
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        where = path or f"the environment ({PREFIX}…)"
        raise AppError(Code.INVALID, "\n".join([f"Settings in {where}:", *lines])) from error
