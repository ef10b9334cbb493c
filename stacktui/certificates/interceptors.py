"""Recognise TLS-intercepting products by the names of their CAs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

# Words in the names of such products' roots. Lower case; only whole words count: Charleston is a
# place.
INTERCEPTOR_WORDS = (
    "gateway",
    "proxy",
    "firewall",
    "interception",
    "https inspection",
    "ssl inspection",
    "tls inspection",
    "blue coat",
    "bluecoat",
    "burp",
    "charles proxy",
    "check point",
    "cisco umbrella",
    "fiddler",
    "forcepoint",
    "fortigate",
    "fortinet",
    "mcafee",
    "mitmproxy",
    "netskope",
    "palo alto",
    "portswigger",
    "sophos",
    "squid",
    "trend micro",
    "watchguard",
    "zscaler",
)
# A number may follow such a word ("proxy01"), but no letter.
_INTERCEPTOR = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(INTERCEPTOR_WORDS)})(?![^\W\d_])", re.IGNORECASE
)


def interceptor(path: tuple[Certificate, ...]) -> str | None:
    """Return the name of the CA that ends `path` (leaf first), if it is like an interceptor's."""
    if not path:
        return None
    end = path[-1]
    return end.issuer_name if _INTERCEPTOR.search(f"{end.issuer} {end.issuer_name}") else None
