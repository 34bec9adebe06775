"""Tells mail that machines sent from mail that people wrote, by its headers and never by its text alone."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from intake.schema import Automatic
from intake.text import fold
from normalizers.addresses import canonical
from normalizers.headers import Head

OWN_FIELD = "x-intake-case"
"""The header all our own mail carries."""

_BOUNCERS = ("mailer-daemon", "postmaster", "maildaemon", "mail-daemon", "mdaemon")
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|failure|has failed)|returned mail|failure notice|mail delivery (?:failed|system)"
    r"|delivery incomplete|iletilemedi|teslim edilemedi|teslim edilemeyen|gonderilemedi|iade edilen|unzustellbar"
)
_AWAY_SUBJECT = re.compile(
    r"^(?:(?:re|ynt|yan|fw|fwd|ilt)\s*:\s*)*(?:automatic reply|auto(?:matic)?[ -]?re(?:ply|sponse)"
    r"|out of (?:the )?office|away from|otomatik (?:yanit|cevap)"
    r"|ofis(?:te)? (?:disinda|degil)|izinde|yillik izin|abwesenheit|reponse automatique)"
)
_AUTO_REPLY_FIELDS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-autoresponder",
)
_LIST_FIELDS = ("list-id", "list-post", "list-unsubscribe")
_SCL = re.compile(r"\bSCL:\s*(-?\d{1,2})", re.IGNORECASE)
_SPAM_VERDICT = re.compile(r"\bSFV:\s*(?:SPM|SKS|SKB)\b|\bCAT:\s*(?:HSPM|SPM|HPHISH|HPHSH|PHSH|MALW)\b", re.I)
_SPAM_ACTIONS = frozenset({"reject", "add header", "rewrite subject", "quarantine", "discard"})


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known about where a mail came from, beside its headers."""

    from_address: str
    subject: str
    message_id: str
    own_addresses: Collection[str] = ()
    own_message_domain: str = ""
    report_type: str = ""
    kinds: Collection[str] = ()


def classify(head: Head, origin: Origin) -> Automatic:
    """Who answers a robot starts a loop: own mail, bounces, automatic replies (RFC 3834), lists."""
    own = {canonical(address) or address.lower() for address in origin.own_addresses}
    if _is_own(head, origin, own):
        return "own"
    if _is_bounce(head, origin):
        return "bounce"
    if _is_auto_reply(head, origin):
        return "auto-reply"
    return "list" if _is_list(head, own) else "none"


def _is_own(head: Head, origin: Origin, own: set[str]) -> bool:
    sender = canonical(origin.from_address)
    if (sender and sender in own) or OWN_FIELD in head.fields:
        return True
    domain = origin.own_message_domain.lower()
    if domain and origin.message_id.lower().endswith(f"@{domain}"):
        return True
    loops = [value.lower() for value in head.all("x-loop")]
    return any(value in own or (domain and value.endswith(domain)) for value in loops)


def _is_bounce(head: Head, origin: Origin) -> bool:
    if origin.report_type == "delivery-status" or "x-failed-recipients" in head.fields:
        return True
    if "message/delivery-status" in origin.kinds or "message/global-delivery-status" in origin.kinds:
        return True
    if not (origin.from_address or origin.subject):
        return False
    local = origin.from_address.partition("@")[0].lower()
    is_report = bool(origin.report_type) or "message/rfc822" in origin.kinds
    null_path = _has_null_path(head)
    if local.startswith(_BOUNCERS):
        return null_path or is_report or bool(_BOUNCE_SUBJECT.search(fold(origin.subject[:200])))
    return null_path and bool(_BOUNCE_SUBJECT.search(fold(origin.subject[:200])))


def _is_auto_reply(head: Head, origin: Origin) -> bool:
    submitted = head.get("auto-submitted").partition(";")[0].partition("(")[0].strip().lower()
    if (
        submitted not in {"", "no"}
        or origin.report_type
        or "message/disposition-notification" in origin.kinds
    ):
        return True
    if any(name in head.fields for name in _AUTO_REPLY_FIELDS):
        return True
    precedence = head.get("precedence").lower()
    if precedence in {"auto_reply", "auto-reply"} or "autorespond" in head.get("x-post-messageclass").lower():
        return True
    null_path = _has_null_path(head)
    if null_path:
        return True
    # a subject alone proves nothing: customers also write about "out of office"
    evidence = (
        "x-auto-response-suppress" in head.fields
        or precedence in {"bulk", "junk"}
        or origin.from_address.lower().startswith(("noreply@", "no-reply@"))
    )
    return evidence and bool(_AWAY_SUBJECT.match(fold(origin.subject[:200])))


def _has_null_path(head: Head) -> bool:
    return "return-path" in head.fields and head.get("return-path").replace(" ", "") == "<>"


def _is_list(head: Head, own: set[str]) -> bool:
    precedence = head.get("precedence").lower()
    if precedence not in {"bulk", "list", "junk"} and not any(name in head.fields for name in _LIST_FIELDS):
        return False
    # our own mailbox may be a group address: its members' list is the customers' way in
    place = f"{head.get('list-post')} {head.get('list-id')}".lower()
    is_ours = any(address in place or address.replace("@", ".") in place for address in own if "@" in address)
    return not is_ours


def is_spam(head: Head) -> bool:
    """Whether the receiving server marked the mail as spam."""
    fields = head.fields
    if any(head.get(name).lower().startswith(("yes", "true")) for name in _flags(head)):
        return True
    levels = [
        head.get("x-ms-exchange-organization-scl"),
        *_SCL.findall(head.get("x-forefront-antispam-report")),
    ]
    if any(level.strip().isdigit() and int(level) >= 5 for level in levels):
        return True
    if "x-forefront-antispam-report" in fields and _SPAM_VERDICT.search(
        head.get("x-forefront-antispam-report")
    ):
        return True
    return head.get("x-rspamd-action").lower() in _SPAM_ACTIONS


def _flags(head: Head) -> list[str]:
    return [
        name for name in ("x-spam-flag", "x-spam-status", "x-spam", "x-spam-flagged") if name in head.fields
    ]
