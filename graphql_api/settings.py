"""The settings: read once from the environment and `.env`, then frozen. docs/settings.md explains each."""

import os
from collections.abc import Callable
from dataclasses import fields
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from pydantic import Field, ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from graphql_api.adapters.graph.client import App, GraphClient
from graphql_api.adapters.mail import (
    Outbox,
    Outlet,
    Smtp,
    UnusableMailSetting,
    check_sender,
    parse_mail_url,
)
from graphql_api.adapters.sealing import Keyring, UnusableKey, new_key, parse_keys
from graphql_api.domain.networks import parse_address
from graphql_api.domain.secrets import Secret
from graphql_api.execution.limits import Limits
from graphql_api.storage.database import check_url
from graphql_api.storage.faults import UnsupportedDatabase
from graphql_api.storage.private_files import PRIVATE, tighten
from graphql_api.web.options import Options


class Environment(StrEnum):
    """Where the server runs. Production refuses every convenience that a default would be."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class MetaMode(StrEnum):
    """Whom the server asks who controls an account: a stand-in, Meta itself, or nobody."""

    SANDBOX = "sandbox"
    LIVE = "live"
    OFF = "off"


class Unusable(Exception):
    """The settings cannot be used; the message names everything that is missing or wrong, and no value."""


def _figures_of(kind: type[Limits | Options]) -> dict[str, Any]:
    """The figures that have a range, with it and their default: each is a setting of the same name."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        one.name: (hints[one.name], one.default)
        for one in fields(kind)
        if hasattr(hints[one.name], "__metadata__")
    }


if TYPE_CHECKING:
    _Figures = BaseSettings
else:
    _Figures = create_model("_Figures", __base__=BaseSettings, **_figures_of(Limits), **_figures_of(Options))


class Settings(_Figures):
    """Every setting, by the name of its environment variable in lower case.

    The figures of `Limits` and `Options` are settings too: what they are, and may be, stands there.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    environment: Environment = Environment.DEVELOPMENT
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    database_url: str = Field(default="", repr=False)
    database_pool_size: int = Field(default=10, ge=1, le=200)
    sealing_keys: str = Field(default="", repr=False)
    sealing_keys_file: Path | None = None
    mail_url: str = Field(default="", repr=False)
    mail_outbox: Path | None = None
    mail_from: str = ""
    front_end_url: str = Field(default="", pattern=r"^(https?://[^\s?#]+)?$")
    meta_mode: MetaMode | None = None
    meta_app_id: str = Field(default="", pattern=r"^([1-9][0-9]{0,19})?$")
    meta_app_secret: str = Field(default="", repr=False)
    meta_graph_url: str = "https://graph.facebook.com"
    meta_api_version: str = Field(default="v27.0", pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$")
    allow_unverified_claims: bool = False
    log_level: str = Field(default="INFO", pattern="(?i)^(debug|info|warning|error)$")
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    graphiql: bool | None = None
    introspection: bool | None = None
    trusted_documents_file: Path | None = None
    only_trusted_documents: bool = False
    automatic_persisted_queries: bool = True
    max_accounts_per_holder: int = Field(default=500, ge=1)
    api_token_days: int = Field(default=90, ge=1, le=3650)
    invitation_days: int = Field(default=7, ge=1, le=365)
    idempotency_key_hours: int = Field(default=24, ge=24, le=8760)
    free_log_ins_per_account: int = Field(default=5, ge=1)
    free_log_ins_from_new_networks: int = Field(default=100, ge=1)
    free_log_ins_per_address: int = Field(default=50, ge=1)
    free_registrations_per_address: int = Field(default=100, ge=1)
    mails_per_recipient: int = Field(default=5, ge=1)
    invitations_per_user: int = Field(default=100, ge=1)
    invitations_per_workspace: int = Field(default=300, ge=1)
    verification_code_hours: int = Field(default=24, ge=1, le=720)
    reset_code_minutes: int = Field(default=60, ge=5, le=1440)
    tidy_minutes: int = Field(default=60, ge=0, le=10_080)
    retention_days: int = Field(default=30, ge=1, le=3650)
    event_retention_days: int = Field(default=400, ge=0, le=36_500)
    look_ups_per_user: int = Field(default=1000, ge=100)
    access_requests_per_user: int = Field(default=30, ge=1)
    verifications_per_user: int = Field(default=600, ge=1)
    writes_per_user: int = Field(default=20_000, ge=100)
    transfers_paused: bool = False

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def split_origins(cls, value: object) -> object:
        """Read a list that is written with commas or spaces."""
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def split_proxies(cls, value: object) -> object:
        """Read a list of addresses or networks that is written with commas or spaces."""
        if not isinstance(value, str):
            return value
        try:
            return tuple(ip_network(item) for item in value.replace(",", " ").split())
        except ValueError:
            raise ValueError("it lists IP addresses and networks, such as 10.0.0.0/8") from None

    @property
    def in_production(self) -> bool:
        """Whether this serves real users."""
        return self.environment is Environment.PRODUCTION

    def exposure(self, host: str) -> str | None:
        """What to warn of when the server listens on this host; None if only this machine reaches it."""
        address = parse_address(host)
        own = host == "localhost" or (address is not None and address.is_loopback)
        if self.in_production or own:
            return None
        return (
            "Warning: HOST lets other machines reach this server, which shows them what helps developers. "
            "Set ENVIRONMENT=production, or HOST=127.0.0.1"
        )

    @property
    def asks(self) -> MetaMode:
        """Whom the server asks: if not said, the sandbox, and in production Meta."""
        return self.meta_mode or (MetaMode.LIVE if self.in_production else MetaMode.SANDBOX)

    @property
    def shows_graphiql(self) -> bool:
        """Whether GraphiQL is served: if not said, everywhere but in production."""
        return not self.in_production if self.graphiql is None else self.graphiql

    @property
    def shows_introspection(self) -> bool:
        """Whether the schema can be asked for: if not said, everywhere but in production."""
        return not self.in_production if self.introspection is None else self.introspection

    @property
    def limits(self) -> Limits:
        """The bounds on a document and on running it."""
        return Limits(**self._figures(Limits))

    @property
    def options(self) -> Options:
        """How the front door behaves."""
        return Options(
            allowed_origins=self.allowed_origins,
            trusted_proxies=self.trusted_proxies,
            access_log=self.log_level.upper() in {"DEBUG", "INFO"},  # else its lines are made for nothing
            **self._figures(Options),
        )

    def _figures(self, kind: type[Limits | Options]) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _figures_of(kind)}

    @property
    def database(self) -> str:
        """The database's URL: if not said, an SQLite file below `var/`."""
        return self.database_url or "sqlite:///var/graphql_api.sqlite3"

    @property
    def demo_people_file(self) -> Path:
        """Where the demo leaves bearer tokens of its people, for GraphiQL in development."""
        return Path("var/demo/people.json")

    @property
    def demo_operations_file(self) -> Path:
        """Where the demo leaves what it prints: passwords, and operations to paste."""
        return Path("var/demo/operations.txt")

    def outlet(self) -> Outlet:
        """Where mails go: to the SMTP server of MAIL_URL; without one into files, below `var/` if not said.

        Raises:
            UnusableMailSetting: MAIL_URL cannot be used.
        """
        sender = self.mail_from or "onehold@localhost.localdomain"
        if self.mail_url:
            return Smtp(parse_mail_url(self.mail_url), sender=sender)
        return Outbox(self.mail_outbox or Path("var/outbox"), sender=sender)

    def graph_client(self) -> GraphClient:
        """The client of Meta itself, or of what META_GRAPH_URL names in its place.

        Raises:
            ValueError: the URL cannot be used.
        """
        app = App(self.meta_app_id, Secret(self.meta_app_secret), self.meta_api_version)
        return GraphClient(app, base_url=self.meta_graph_url, source=f"live:{self.meta_app_id}")

    def keyring(self) -> Keyring:
        """The sealing keys.

        In development a missing key is made and kept in `var/`, readable by its user only.

        Raises:
            Unusable: there is none, or what is configured is none.
        """
        path = self.sealing_keys_file or Path("var/sealing.keys")
        try:
            if self.sealing_keys:
                return Keyring(parse_keys(self.sealing_keys))
            if not path.exists() and not self.in_production:
                _make_key(path)
            if self.sealing_keys_file is None:
                tighten(path)  # it is ours; a file of the operator's stays as they made it
            return Keyring(parse_keys(path.read_text(encoding="utf-8")))
        except UnusableKey as error:
            raise Unusable(f"SEALING_KEYS: {error}") from None
        except OSError as error:  # without the path: it may be a key that was put there by mistake
            raise Unusable(f"SEALING_KEYS_FILE: the file cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise Unusable("SEALING_KEYS_FILE: the file is not text") from None


def read_settings(**overrides: Any) -> Settings:
    """Read the settings, and check what can be checked without starting.

    Raises:
        Unusable: something is missing or wrong; all of it is told at once.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise Unusable("\n".join(problems)) from None
    problems = []
    if settings.in_production:
        if not settings.database_url:
            problems.append("DATABASE_URL: production needs to be told its database")
        if not settings.sealing_keys and settings.sealing_keys_file is None:
            problems.append("SEALING_KEYS or SEALING_KEYS_FILE: production needs to be told its sealing key")
    if settings.only_trusted_documents and settings.trusted_documents_file is None:
        problems.append("TRUSTED_DOCUMENTS_FILE: ONLY_TRUSTED_DOCUMENTS needs to be told its file")
    try:
        check_url(settings.database)
    except UnsupportedDatabase as error:
        problems.append(f"DATABASE_URL: {error}")
    problems += _mail_problems(settings)
    problems += _meta_problems(settings)
    if problems:
        raise Unusable("\n".join(problems))
    return settings


def _mail_problems(settings: Settings) -> list[str]:
    problems = []
    if settings.mail_url and settings.mail_outbox is not None:
        problems.append("MAIL_URL, MAIL_OUTBOX: mails go to one of them; set the other to nothing")
    if settings.in_production and not settings.mail_url and settings.mail_outbox is None:
        problems.append("MAIL_URL or MAIL_OUTBOX: production needs to be told where mails go")
    if settings.mail_url and not settings.mail_from:
        problems.append("MAIL_FROM: mail servers need to be told whom mails are from")
    checks: list[tuple[str, str, Callable[[str], object]]] = [
        ("MAIL_URL", settings.mail_url, parse_mail_url),
        ("MAIL_FROM", settings.mail_from, check_sender),
    ]
    for name, value, check in checks:
        try:
            if value:
                check(value)
        except UnusableMailSetting as error:
            problems.append(f"{name}: {error}")
    return problems


def _meta_problems(settings: Settings) -> list[str]:
    problems = []
    if settings.in_production and settings.asks is MetaMode.SANDBOX:
        problems.append("META_MODE: production asks Meta itself (live); the sandbox proves nothing")
    if settings.in_production and settings.asks is MetaMode.OFF and not settings.allow_unverified_claims:
        problems.append(
            "META_MODE: off believes every claim, so anyone can take any account; "
            "set ALLOW_UNVERIFIED_CLAIMS=true if that is what you want"
        )
    if settings.asks is MetaMode.LIVE:
        named = {"META_APP_ID": settings.meta_app_id, "META_APP_SECRET": settings.meta_app_secret}
        problems += [f"{name}: META_MODE=live needs it" for name, value in named.items() if not value]
        try:
            settings.graph_client()
        except ValueError as error:
            problems.append(f"META_GRAPH_URL: {error}")
    return problems


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, PRIVATE)  # whatever the umask
        file.write(new_key("k1") + "\n")
