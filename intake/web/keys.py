"""Bearer keys: who is asking, compared in constant time."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from pydantic import SecretStr

from intake.settings import Web

EVERY_DEPARTMENT = "*"


def bearer(authorization: str | None) -> str:
    """The token of an `Authorization: Bearer` header (RFC 6750), or an empty string."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def owner(token: str, keys: Mapping[str, SecretStr]) -> str | None:
    """The name whose key this is. A key may hold two values split by a blank, while one is being replaced.

    Every value is compared, whatever matched before, so the time taken says nothing.
    """
    found: str | None = None
    for name, secret in keys.items():
        for value in secret.get_secret_value().split():
            if hmac.compare_digest(value.encode(), token.encode()):
                found = name
    return found


def department(authorization: str | None, web: Web) -> str | None:
    """The department a request speaks for, `EVERY_DEPARTMENT` for operations, None for nobody."""
    keys: dict[str, SecretStr] = dict(web.department_keys.items())
    if web.admin_key:
        keys[EVERY_DEPARTMENT] = web.admin_key
    return owner(bearer(authorization), keys)
