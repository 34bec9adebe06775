"""Trust in a sender: only our own server's topmost word counts."""

from __future__ import annotations

import pytest

from normalizers import authentication

AR = "authentication-results"
OURS = ["mx.us.example", ""]
M365 = (
    "spf=pass (sender IP is 192.0.2.4) smtp.mailfrom=b.example; dkim=pass (signature was verified) header.d=b.example;"
    "dmarc=pass action=none header.from=b.example;compauth=pass reason=100"
)

VALUES = {
    "dmarc pass": ("mx.us.example; dmarc=pass (p=REJECT) header.from=b.example", "authenticated"),
    "microsoft names no server": (M365, "authenticated"),
    "version and comment": ("mx.us.example (gateway) 1; dmarc=pass header.from=b.example", "authenticated"),
    "dmarc fail": ("mx.us.example; dkim=pass header.d=b.example; dmarc=fail header.from=b.example", "none"),
    "dmarc for another domain": ("mx.us.example; dmarc=pass header.from=other.example", "none"),
    "dkim aligned": ("mx.us.example; dkim=pass header.i=@mail.b.example", "authenticated"),
    "dkim of somebody else": ("mx.us.example; dkim=pass header.d=esp.example", "claimed"),
    "a shared suffix aligns nothing": ("mx.us.example; dkim=pass header.d=com.tr", "claimed"),
    "spf aligned": ("mx.us.example; spf=pass smtp.mailfrom=bounce@b.example", "authenticated"),
    "all failed": ("mx.us.example; dkim=fail header.d=b.example; spf=softfail smtp.mailfrom=b.example", "none"),
    "nothing said": ("mx.us.example; dkim=none; spf=none; dmarc=none", "claimed"),
    "none": ("mx.us.example; none", "claimed"),
    "another server": ("evil.example; dmarc=pass header.from=b.example", "claimed"),
    "a result hidden in a comment": ("mx.us.example; spf=none; x=y (; dmarc=pass header.from=b.example)", "claimed"),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_results_decide_trust(name: str) -> None:
    """Our server's results, read leniently, say what is proven about the From domain."""
    value, trust = VALUES[name]
    assert authentication.trust([(AR, value)], "b.example", OURS) == trust


def test_only_the_topmost_results_count() -> None:
    """A result below the next Received field came with the mail and may be forged."""
    fail, forged = "mx.us.example; dmarc=fail", "mx.us.example; dmarc=pass header.from=b.example"
    lines = [("received", "by mx"), (AR, fail), ("received", "by evil"), (AR, forged)]
    assert authentication.trust(lines, "b.example", OURS) == "none"


def test_results_of_two_filters_of_one_server_are_read_together() -> None:
    """DKIM and DMARC filters each write their own field above one Received field."""
    lines = [(AR, "mx.us.example; dmarc=pass header.from=b.example"), (AR, "mx.us.example; dkim=fail")]
    assert authentication.trust(lines, "b.example", OURS) == "authenticated"


def test_without_a_trusted_server_all_is_claimed() -> None:
    """Nothing is believed, neither good nor bad, until a server is configured."""
    assert authentication.trust([(AR, "mx.us.example; dmarc=fail")], "b.example", []) == "claimed"
