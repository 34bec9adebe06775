"""The e-mail channel: reads mailboxes over IMAP, sends letters over SMTP."""

from __future__ import annotations

from connectors.email.settings import Mailbox, Settings, Smtp
from intake.ports import Channel, Core

__all__ = ["Mailbox", "Settings", "Smtp", "connect"]


def connect(settings: Settings, core: Core) -> Channel:
    """The channel for `settings`: one poll per mailbox, and `send` where a server for it is given.

    Raises `ConfigError` for a certificate file that cannot be used. Opens no connection.
    """
    # the libraries load only where the channel is configured
    from connectors.email.imap import Watcher  # noqa: PLC0415
    from connectors.email.smtp import Sender  # noqa: PLC0415

    watchers = [Watcher(mailbox, settings, core) for mailbox in settings.mailboxes]
    polls = {watcher.name: watcher.poll for watcher in watchers}
    if settings.smtp is None:
        return Channel("email", polls)
    sender = Sender(settings.smtp, core)
    return Channel("email", polls, send=sender.send, send_rate=settings.smtp.rate, close=sender.close)
