"""TLS opened on the way: a chain that ends in a gateway's root instead of the stamp's."""

from __future__ import annotations

import re

from stacktui.certificates.chain import Certificate
from stacktui.certificates.verify import ROOTLESS
from stacktui.diagnosis.case import Case, Explained, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.words import chain_lines, route_lines, trust_line

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


def interceptor(chain: tuple[Certificate, ...]) -> str | None:
    """The name of the CA at the top of `chain`, if it is named like an interceptor's."""
    if not chain:
        return None
    top = chain[-1]
    return top.issuer_name if _INTERCEPTOR.search(f"{top.issuer} {top.issuer_name}") else None


@rule(
    "tls-intercepted",
    Side.NETWORK,
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: … (Caused by SSLError(SSLCertVerificationError(1, '… certificate verify failed",
)
def tls_intercepted(case: Case) -> Explained | None:
    if case.verify_code not in ROOTLESS:
        return None
    name = interceptor(case.chain)
    if name is None:
        return None
    title = f"{name} signs for {case.host}, and is named like a gateway that opens TLS"
    evidence = (
        f"the chain of {case.host} ends at {name}, a name that products which open TLS use",
        *chain_lines(case.chain),
        trust_line(case.step.evidence.trust),
        *route_lines(case),
    )
    remedies = (
        Remedy(f"Ask for {case.host} to be exempt from TLS inspection: then the stamp answers"),
        Remedy(
            f"Else get {name} as PEM from whoever runs the gateway, compare its SHA-256 with "
            f'theirs, and set under {case.section}: ca = "/path/to/gateway-root.pem"'
        ),
        Remedy(
            "Do not switch verification off: then anybody on the way can read your secrets, "
            "not only the gateway"
        ),
    )
    return title, evidence, remedies
