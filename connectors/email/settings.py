"""What an operator says about the e-mail channel: mailboxes to read, the server to send through."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, SecretStr, StringConstraints, field_validator, model_validator

from intake.errors import ConfigError
from intake.settings import Names, Section

Folder = Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=r"^[^\x00-\x1f\x7f]+$")]
MailAddress = Annotated[str, StringConstraints(pattern=r"^[^\s@<>,;:\"()]+@[A-Za-z0-9.-]+$", max_length=254)]
Domain = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?)?$")]


class Mailbox(Section):
    """One account that customers write to; always over TLS."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    """Name in the ledger, in logs and in the books; never change it once mail has been read."""
    host: str = Field(min_length=1)
    """IMAP server."""
    port: int = Field(993, ge=1, le=65535)
    """Port that speaks TLS from the first byte."""
    user: str = Field(min_length=1)
    """User name at the server."""
    password: SecretStr
    """Password, or an application password (or `password_file`)."""
    ca_file: Path | None = None
    """Certificate authority of the server; empty: the system's."""
    folders: tuple[Folder, ...] = ("INBOX", "Junk")
    """Folders that are read; one that is not there is skipped. The first gets news at once (IDLE)."""
    junk_folders: tuple[Folder, ...] = ("Junk",)
    """Which of `folders` hold what the server took for spam."""
    processed_folder: Folder | Literal[""] = ""
    """Where mails go after they are registered; empty: they stay and are only marked as seen."""
    cut_off: AwareDatetime | None = None
    """Mails older than this are set aside; empty: everything that is there at the first connection."""
    idle_seconds: int = Field(300, ge=5, le=540)
    """Longest wait for news before the folder is looked at anyway."""
    poll_seconds: int = Field(60, ge=1, le=1500)
    """Between looks at the other folders, and at all where the server has no IDLE."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.folders:
            raise ValueError(f"mailbox {self.name}: name at least one folder to read")
        if len(set(self.folders)) != len(self.folders):
            raise ValueError(f"mailbox {self.name}: a folder is named twice in folders")
        if self.processed_folder in self.folders:
            raise ValueError(f"mailbox {self.name}: processed_folder must not be one of folders")
        return self


class Smtp(Section):
    """The server that letters to customers go out through."""

    host: str = Field(min_length=1)
    """Submission server."""
    port: int = Field(587, ge=1, le=65535)
    """Its port."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`tls` from the first byte (usually port 465); `none` only to this machine."""
    user: str = ""
    """User name; empty: no sign-in."""
    password: SecretStr | None = None
    """Its password (or `password_file`)."""
    ca_file: Path | None = None
    """Certificate authority of the server; empty: the system's."""
    from_address: MailAddress
    """Sender of every letter; answers to it should arrive in one of the mailboxes."""
    from_name: str = Field("", max_length=200)
    """Name shown beside it; empty: the operator's."""
    message_id_domain: Domain = ""
    """Domain of our Message-IDs; empty: that of `from_address`."""
    rate: float = Field(20.0, gt=0, le=10_000)
    """Most letters a second."""
    connections: int = Field(4, ge=1, le=32)
    """Most connections at once."""
    timeout: float = Field(30.0, gt=0, le=300)
    """Seconds the server has for each answer."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.security == "none" and not _is_loopback(self.host):
            raise ValueError(
                f"security = none would send letters to {self.host} in the clear; use starttls or tls"
            )
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password belong together: give both or neither")
        return self

    @property
    def domain(self) -> str:
        """The domain of our Message-IDs."""
        return (self.message_id_domain or self.from_address.rpartition("@")[2]).lower()


class Settings(Section):
    """E-mail, both directions."""

    mailboxes: tuple[Mailbox, ...] = ()
    """Accounts that are read."""
    smtp: Smtp | None = None
    """How letters go out; empty: nobody is answered by e-mail."""
    authserv_ids: Names = ()
    """Names our receiving servers sign Authentication-Results with; results of others are not believed."""
    own_addresses: Names = ()
    """Further addresses of ours: mail from them is ours, not a customer's."""

    @field_validator("mailboxes")
    @classmethod
    def _distinct(cls, mailboxes: tuple[Mailbox, ...]) -> tuple[Mailbox, ...]:
        names = [mailbox.name for mailbox in mailboxes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two mailboxes are named {twice[0]}")
        return mailboxes

    @model_validator(mode="after")
    def _of_use(self) -> Self:
        if not self.mailboxes and self.smtp is None:
            raise ValueError("give mailboxes or smtp, or leave the section out to switch e-mail off")
        return self

    @property
    def ours(self) -> list[str]:
        """Every address that is known to be ours, lower case."""
        sender = [self.smtp.from_address] if self.smtp else []
        users = [mailbox.user for mailbox in self.mailboxes if "@" in mailbox.user]
        return sorted({address.lower() for address in (*self.own_addresses, *sender, *users)})


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A verifying client context. `ConfigError` where `ca_file` holds no certificate."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        detail = error.strerror if error.errno else "it holds no certificate"
        raise ConfigError(f"email: cannot use ca_file {ca_file}: {detail}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
