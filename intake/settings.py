"""The configuration: its shape, where it comes from, and one clear line for each mistake in it."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    create_model,
    field_validator,
)
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from intake.errors import ConfigError

_PREFIX = "INTAKE_"
# Kubernetes injects INTAKE_SERVICE_HOST, INTAKE_PORT_8080_TCP… for a service named "intake"
_INJECTED = re.compile(r"^INTAKE_(SERVICE_|PORT)")

Department = Literal[
    "payments", "accounts", "technical", "games", "responsible-gaming", "general", "management", "compliance"
]


class Section(BaseModel):
    """A table of the configuration file; unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Operator(Section):
    """Who runs the platform; shown to customers."""

    name: str = "Örnek Oyun A.Ş."
    """Name of the operator in letters and pages."""
    licence: str = ""
    """Licence number and licensing body, shown on pages where given."""
    contacts: tuple[str, ...] = ()
    """Other ways to reach the operator, one line each, shown where the form is over its limit."""
    help_lines: tuple[str, ...] = ()
    """Help lines for players, one line each, shown at the foot of every page."""
    languages: tuple[Literal["tr", "en"], ...] = Field(("tr", "en"), min_length=1)
    """Languages offered to customers, the first is the default."""
    time_zone: str = "Europe/Istanbul"
    """IANA zone used for dates shown to customers."""

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {name!r}; for example: Europe/Istanbul") from error
        return name


class Store(Section):
    """Where cases are kept."""

    url: str = ""
    """`sqlite:///path/intake.db` or `postgresql://user@host:port/name`; empty: `intake.db` in `data_dir`."""
    password: SecretStr | None = None
    """PostgreSQL password (or `INTAKE_STORE__PASSWORD_FILE`)."""
    pool_size: int = Field(4, ge=1, le=64)
    """PostgreSQL connections of this process."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return url


class BlobSettings(Section):
    """Where attachments and large raw messages are kept."""

    url: str = ""
    """Empty: folder `blobs` in `data_dir`; or `s3://bucket/prefix`."""
    s3_endpoint: str = ""
    """Endpoint of an S3-compatible service; empty for AWS."""
    s3_region: str = "eu-central-1"
    """Region of the bucket."""
    s3_access_key: str = ""
    """Access key id."""
    s3_secret_key: SecretStr | None = None
    """Secret access key."""


class Limits(Section):
    """Bounds that keep one message or one sender from harming the others."""

    message_bytes: int = Field(26_214_400, ge=10_000)
    """Largest message or upload read whole, bytes."""
    attachment_bytes: int = Field(20_971_520, ge=1_000)
    """Largest single attachment kept, bytes."""
    attachments: int = Field(20, ge=0)
    """Most attachments kept of one message."""
    in_flight_bytes: int = Field(67_108_864, ge=1_000_000)
    """Raw bytes taken in but not committed yet; more wait."""
    batch_messages: int = Field(256, ge=1, le=1000)
    """Most messages in one transaction."""
    batch_bytes: int = Field(16_777_216, ge=100_000)
    """Most bytes of rows in one transaction."""
    free_disk_bytes: int = Field(536_870_912, ge=0)
    """Below this much free space in `data_dir` nothing more is accepted."""
    receipts_per_hour: int = Field(1, ge=0)
    """Receipts for follow-ups of one case in an hour."""


class Workers(Section):
    """The killable processes that read untrusted bytes."""

    processes: int = Field(0, ge=0, le=64)
    """Worker processes; 0 means one per core."""
    seconds: float = Field(10.0, gt=0)
    """Longest time one message may take."""
    memory_bytes: int = Field(1_073_741_824, ge=134_217_728)
    """Address space of a worker."""


class Kafka(Section):
    """The broker. Without `bootstrap_servers` departments read the outbox itself."""

    bootstrap_servers: str = ""
    """`host:port[,host:port]`; empty: no broker."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How to talk to it."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """SASL mechanism, where the protocol has SASL."""
    username: str = ""
    """SASL user."""
    password: SecretStr | None = None
    """SASL password."""
    ca_file: Path | None = None
    """Certificate authority of the broker; empty: the system's."""
    cert_file: Path | None = None
    """Client certificate."""
    key_file: Path | None = None
    """Key of the client certificate."""
    topic_prefix: str = Field("complaints", pattern=r"^[a-z0-9][a-z0-9.-]{0,60}$")
    """First word of every topic name."""
    partitions: int = Field(12, ge=1)
    """Partitions of new topics; adding some later breaks the order per case."""
    retention_days: int = Field(30, ge=1)
    """`retention.ms` of new topics with content."""
    in_flight: int = Field(1000, ge=1, le=10_000)
    """Records in flight per topic."""
    request_timeout_ms: int = Field(15_000, ge=1_000)
    """Time the broker has for one request."""


class Web(Section):
    """The two HTTP listeners."""

    public_url: str = ""
    """`https://…` under which customers reach the public listener; required for links."""
    public_host: str = "127.0.0.1"
    """Address of the public listener."""
    public_port: int = Field(8080, ge=0, le=65535)
    """Port of the public listener."""
    private_host: str = "127.0.0.1"
    """Address of the private listener (metrics, health, API)."""
    private_port: int = Field(8081, ge=0, le=65535)
    """Port of the private listener."""
    private_url: str = ""
    """URL under which departments reach the private listener; empty: from host and port."""
    status_per_minute: int = Field(10, ge=1)
    """Questions for the state of a code that one address may ask in a minute."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-For is believed."""
    department_keys: dict[Department, SecretStr] = Field(default_factory=dict)
    """API key of each department; may hold two, separated by a blank, while one is being replaced."""
    admin_key: SecretStr | None = None
    """API key of operations, for every department's topics and cases."""


class Sameness(Section):
    """When a complaint counts as one the customer has made before."""

    window_days: int = Field(14, ge=1, le=365)
    """A customer's cases of so many days are compared with what he sends."""


class TriageSettings(Section):
    """What decides where a complaint goes, and where the technical team finds its traces."""

    rules_file: Path | None = None
    """Rules in place of the packaged ones; a change is in force a second later, a wrong file changes nothing."""
    evidence_url: str = ""
    """Link into the log system; `{from}` and `{to}` (RFC 3339) and `{ids}` are filled in, percent-encoded."""
    evidence_hours: float = Field(2.0, gt=0, le=168)
    """Hours before a message that the link covers, where the message names no moment."""

    @field_validator("evidence_url")
    @classmethod
    def _check_evidence_url(cls, url: str) -> str:
        named = set(re.findall(r"{([^{}]*)}", url))
        if url and (not url.startswith(("https://", "http://")) or named - {"from", "to", "ids"}):
            raise ValueError("must begin with https:// and may hold {from}, {to} and {ids} alone")
        return url


class Retention(Section):
    """How long things are kept."""

    outbox_days: int = Field(30, ge=1)
    """Sent events stay readable and republishable."""


class Log(Section):
    """What the service says."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level that is logged."""
    format: Literal["json", "console"] = "json"
    """One JSON object a line, or for a person's eyes."""


class Settings(BaseSettings):
    """All of it. Channels add their own sections when the configuration is loaded."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
        use_attribute_docstrings=True,
        nested_model_default_partial_update=True,
    )
    channel_names: ClassVar[tuple[str, ...]] = ()

    data_dir: Path = Path("data")
    """Folder for the database, blobs and generated secrets."""
    secret: SecretStr | None = None
    """Signs links and browser tokens; made in `data_dir` at the first start where it is not given."""
    operator: Operator = Operator()
    store: Store = Store()
    blobs: BlobSettings = BlobSettings()
    limits: Limits = Limits()
    workers: Workers = Workers()
    kafka: Kafka = Kafka()
    web: Web = Web()
    sameness: Sameness = Sameness()
    triage: TriageSettings = TriageSettings()
    retention: Retention = Retention()
    log: Log = Log()

    @property
    def store_url(self) -> str:
        """The database's URL with the default filled in."""
        return self.store.url or f"sqlite:///{self.data_dir / 'intake.db'}"

    @property
    def private_url(self) -> str:
        """Where departments fetch attachments."""
        web = self.web
        return (web.private_url or f"http://{web.private_host}:{web.private_port}").rstrip("/")

    @property
    def public_url(self) -> str:
        """Where customers find the pages."""
        web = self.web
        return (web.public_url or f"http://{web.public_host}:{web.public_port}").rstrip("/")

    def channels(self) -> dict[str, BaseModel]:
        """The configured channels' sections by name."""
        sections = {name: getattr(self, name) for name in self.channel_names}
        return {name: section for name, section in sections.items() if section is not None}


def settings_model(channels: Mapping[str, type[BaseModel]]) -> type[Settings]:
    """`Settings` with a section per channel; a section that is not given switches the channel off."""
    fields: dict[str, Any] = {name: (model | None, None) for name, model in channels.items()}
    model = create_model("Settings", __base__=Settings, **fields)
    model.channel_names = tuple(channels)
    return model


def load(path: Path | None, channels: Mapping[str, type[BaseModel]], **given: Any) -> Settings:
    """Read the configuration: `given` over `INTAKE_*` variables over the TOML file over the defaults.

    Raises `ConfigError` with a line per mistake: a missing or broken file, an unknown key, an unknown
    `INTAKE_` variable, a secret's file that cannot be read, a value of the wrong shape.
    """
    model = settings_model(channels)
    table = _read_toml(path) if path else {}
    environment, problems = _environment(model, os.environ)
    problems += _resolve_files(model, table, "")
    if problems:
        raise ConfigError(*problems)

    class Loaded(model):  # type: ignore[misc, valid-type]
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: Any, **sources: PydanticBaseSettingsSource
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            variables = _Variables(settings_cls, env_nested_delimiter="__", env_prefix=_PREFIX)
            variables.env_vars = {key.lower(): value for key, value in environment.items()}
            return (sources["init_settings"], variables, _Table(settings_cls, table))

    try:
        return Loaded(**given)
    except ValidationError as error:
        raise ConfigError(*(_one_line(e, path) for e in error.errors())) from error


class _Variables(EnvSettingsSource):
    """Variables as a source; what should be JSON and is not goes on as text, for validation to name it."""

    def decode_complex_value(self, field_name: str, field: Any, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class _Table(PydanticBaseSettingsSource):
    """The TOML file as a source."""

    def __init__(self, settings_cls: type[BaseSettings], table: dict[str, Any]) -> None:
        super().__init__(settings_cls)
        self._given = table

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return self._given.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self._given


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the configuration file: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _environment(model: type[BaseModel], variables: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The `INTAKE_*` variables, with `…_FILE` of a secret replaced by the file's content."""
    known: dict[str, str] = {}
    problems: list[str] = []
    for name, value in variables.items():
        if not name.startswith(_PREFIX) or _INJECTED.match(name):
            continue
        path = name.removeprefix(_PREFIX).lower().split("__")
        if _knows(model, path):
            known[name] = value
        elif path[-1].endswith("_file") and _knows(model, [*path[:-1], path[-1].removesuffix("_file")]):
            known[name.removesuffix("_FILE")] = _content(name, value, problems)
        else:
            near = difflib.get_close_matches(name, _names(model), 1)
            hint = f"; did you mean {near[0]}?" if near else "; see docs/reference/settings.md"
            problems.append(f"{name}: no such setting{hint}")
    return known, problems


def _content(name: str, path: Any, problems: list[str]) -> str:
    """What stands in the file a `…_FILE` setting names; what speaks against it is added to the problems."""
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        problems.append(f"{name}: cannot read {path}: {error.strerror}")
    except (TypeError, ValueError):
        problems.append(f"{name}: must name a file with text in UTF-8")
    return ""


def _submodel(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is tuple:
        return None
    return next((found for a in get_args(annotation) if (found := _submodel(a))), None)


def _knows(model: type[BaseModel], path: list[str]) -> bool:
    field = model.model_fields.get(path[0])
    if field is None:
        return False
    if len(path) == 1:
        return True
    inner = _submodel(field.annotation)
    if inner is None:
        return get_origin(field.annotation) is dict
    return _knows(inner, path[1:])


def _names(model: type[BaseModel], prefix: str = _PREFIX) -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        inner = _submodel(field.annotation)
        names.append(f"{prefix}{name.upper()}")
        names += _names(inner, f"{prefix}{name.upper()}__") if inner else []
    return names


def _resolve_files(model: type[BaseModel], table: dict[str, Any], where: str) -> list[str]:
    """Replace `x_file = "path"` by `x = <content>` wherever the model knows `x` but not `x_file`."""
    problems: list[str] = []
    for key, value in list(table.items()):
        base = key.removesuffix("_file")
        if key.endswith("_file") and key not in model.model_fields and base in model.model_fields:
            table[base] = _content(f"{where}{key}", table.pop(key), problems)
        field = model.model_fields.get(key)
        inner = field and (_submodel(field.annotation) or _item_model(field.annotation))
        for part in (value if isinstance(value, list) else [value]) if inner else []:
            if isinstance(part, dict) and inner:
                problems += _resolve_files(inner, part, f"{where}{key}.")
    return problems


def _item_model(annotation: Any) -> type[BaseModel] | None:
    return next((found for a in get_args(annotation) if (found := _submodel(a))), None)


def _one_line(error: Any, path: Path | None) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where}: no such setting{f' (in {path})' if path else ''}"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def split_list(value: Any) -> Any:
    """Let a comma-separated string stand for a list, as environment variables need."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(split_list)]
