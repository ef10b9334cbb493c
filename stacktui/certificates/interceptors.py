"""Products that open TLS on the way, known by the names that their CAs have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate

# Words in the issuer's name by which products that open TLS, and their administrators, name
# their roots. Lower case; whole words, as a county may well be called Charleston.
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
# Such a word may end in a number ("proxy01"), but not go on in letters.
_INTERCEPTOR = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(INTERCEPTOR_WORDS)})(?![^\W\d_])", re.IGNORECASE
)


def interceptor(path: tuple[Certificate, ...]) -> str | None:
    """The name of the CA that ends `path` (leaf first), if it is named like an interceptor's."""
    if not path:
        return None
    end = path[-1]
    return end.issuer_name if _INTERCEPTOR.search(f"{end.issuer} {end.issuer_name}") else None
