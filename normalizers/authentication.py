"""What our own receiving server says about a sender: Authentication-Results (RFC 8601), read leniently."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from intake.schema import Trust
from normalizers.addresses import domain_of

_LONGEST = 8_000
_RESULT = re.compile(
    r"(?:^|;)\s*(spf|dkim|dmarc|compauth)\s*(?:/\s*\d+\s*)?=\s*([a-z]{1,20})"
    r"([^;]*)",
    re.IGNORECASE,
)
_PROPERTY = re.compile(
    r"\b(smtp\.mailfrom|smtp\.mail|smtp\.helo|header\.d|header\.i|header\.from)\s*=\s*\"?([^\s;\"()]{1,320})",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"[^"]*+(?:"|$)')
_BRACKET = re.compile(r"([()])")
_SHARED_SUFFIX = re.compile(
    r"[a-z0-9-]{1,63}|(?:com?|net|org|gov|edu|ac|gen|web|bel|pol|k12|av|dr|biz|info|name|tel|tv|bbs|kep|mil|tsk|nom|or|ne|go"
    r"|plc|ltd|me|sch|nhs|asn|id)\.[a-z]{2}"
)
_FAILS = frozenset({"fail", "hardfail", "softfail", "policy", "reject"})
_SILENT = frozenset({"none", "neutral", "temperror", "permerror", "unknown", "bestguesspass", "nxdomain"})

Result = tuple[str, str, dict[str, str]]
"""(method, result, properties), all lower-case."""


def trust(values: Sequence[tuple[str, str]], from_domain: str, trusted_ids: Iterable[str]) -> Trust:
    """What the topmost results of a trusted server prove about the From domain.

    `values` are the (name, value) of the Received and Authentication-Results fields, topmost first. A server
    stands by its trusted id; "" among the ids admits results that name no server, as Microsoft 365 writes
    them. Results below the next Received field were there before that server saw the mail.
    """
    ids = frozenset(identifier.strip().lower().rstrip(".") for identifier in trusted_ids)
    if not ids:
        return "claimed"
    results: list[Result] = []
    for name, value in values:
        if name == "received":
            if results:
                break
            continue
        found = _read(value, ids)
        if found is not None:
            results += found
    return _verdict(results, from_domain)


def _read(value: str, trusted: frozenset[str]) -> list[Result] | None:
    """The results of one field, None if no trusted server wrote it."""
    value = _without_comments(" ".join(value[:_LONGEST].split()))
    head = value.split(";", 1)[0].strip()
    names_server = "=" not in head
    server = (head.split(" ")[0].lower().rstrip(".") if head else "") if names_server else ""
    if server not in trusted:
        return None
    rest = value[value.find(";") :] if names_server and ";" in value else value
    return [
        (method.lower(), result.lower(), {k.lower(): v.lower() for k, v in _PROPERTY.findall(properties)})
        for method, result, properties in _RESULT.findall(rest)
    ]


def _without_comments(value: str) -> str:
    """The value without comments and quoted strings: both may repeat what the sender wrote."""
    kept, depth = [], 0
    for piece in _BRACKET.split(_QUOTED.sub(" ", value)):
        if piece == "(":
            depth += 1
        elif piece == ")":
            depth = max(0, depth - 1)
        elif not depth:
            kept.append(piece)
    return " ".join(kept)


def _verdict(results: list[Result], from_domain: str) -> Trust:
    if not results or not from_domain:
        return "claimed"
    dmarc = [
        (result, props) for method, result, props in results if method == "dmarc" and result not in _SILENT
    ]
    if dmarc:
        passed = all(
            result == "pass" and _is_aligned(props.get("header.from", from_domain), from_domain)
            for result, props in dmarc
        )
        return "authenticated" if passed else "none"
    said = [(m, r, p) for m, r, p in results if m in {"spf", "dkim"} and r not in _SILENT]
    if any(r == "pass" and _is_aligned(_vouching(m, p), from_domain) for m, r, p in said):
        return "authenticated"
    if any(m == "compauth" and r == "fail" for m, r, _ in results):
        return "none"
    return "none" if said and all(r in _FAILS for _, r, _ in said) else "claimed"


def _vouching(method: str, properties: dict[str, str]) -> str:
    if method == "spf":
        found = properties.get("smtp.mailfrom") or properties.get("smtp.mail", "")
    else:
        found = properties.get("header.d") or properties.get("header.i", "")
    return found.rpartition("@")[2].strip("<>.")


def _is_aligned(domain: str, from_domain: str) -> bool:
    """Relaxed alignment (RFC 7489, 3.1) without a list of public suffixes: one lies within the other."""
    domain = domain_of(f"x@{domain}") if not domain.isascii() else domain
    if domain == from_domain:
        return bool(domain)
    shorter, longer = sorted((domain, from_domain), key=len)
    return longer.endswith(f".{shorter}") and not _SHARED_SUFFIX.fullmatch(shorter)
