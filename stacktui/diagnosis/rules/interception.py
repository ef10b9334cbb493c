"""TLS opened on the way: a chain that ends in a gateway's root instead of the stamp's."""

from __future__ import annotations

import re

from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.verify import ROOTLESS
from stacktui.diagnosis.case import Case, Explained, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import trust_file, trust_presented
from stacktui.diagnosis.rules.recorded import Anchor, anchor_of, recorded_anchor
from stacktui.diagnosis.words import chain_lines, route_lines, trust_line
from stacktui.identities.authority import PUBLIC_LOGIN_HOSTS

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
    why = why_intercepted(case)
    if not why:
        return None
    name = case.chain[-1].issuer_name
    evidence = (
        *why,
        *chain_lines(case.chain),
        trust_line(case.step.evidence.trust),
        *route_lines(case),
    )
    remedies = (
        Remedy(f"Ask for {case.host} to be exempt from TLS inspection: then the stamp answers"),
        _trust(case, name),
        Remedy(
            "Do not switch verification off: then anybody on the way can read your secrets, "
            "not only the gateway"
        ),
    )
    return f"{name} signs for {case.host}: TLS is opened on the way", evidence, remedies


def why_intercepted(case: Case) -> list[str]:
    """What tells that the root is somebody else's than the stamp's; empty where nothing does."""
    if case.verify_code not in ROOTLESS or not case.chain:
        return []
    why = []
    if name := interceptor(case.chain):
        why.append(f"the chain of {case.host} ends at {name}, named like products that open TLS")
    now, before = anchor_of(case.chain[-1]), recorded_anchor(case) if case.at_arm else None
    if now is None:
        return why
    record = case.report.recorded
    # A root that came anew under its old name is more likely the stamp's, deployed anew.
    if record is not None and before is not None and before.issuer != now.issuer:
        since = f"{record.recorded:%Y-%m-%d}"
        why.append(f"on {since}, when all was well, {before.name} signed for it; now {now.name}")
    why += [
        f"{now.name} signs for {host} too, a host of Microsoft's" for host in _public(case, now)
    ]
    return why


def _public(case: Case, now: Anchor) -> list[str]:
    """Public login hosts whose chains end in the same root, which this box does not trust."""
    found = []
    for probe in case.report.probes:
        seen, fault = probe.exchange.connection, probe.exchange.fault
        chain = seen.tls.chain if seen and seen.tls else ()
        if seen is None or fault is None or not chain or seen.host not in PUBLIC_LOGIN_HOSTS:
            continue
        there = anchor_of(describe(chain[-1]))
        if there is not None and fault.verify_code in ROOTLESS and not now.is_other(there):
            found.append(seen.host)
    return found


def _trust(case: Case, name: str) -> Remedy:
    """Trust the interceptor's root, if the user knows it to be their own company's."""
    compare = "compare its SHA-256 with what whoever runs the gateway tells you"
    if case.root_is_at_hand:
        title = f"Else trust {name} as it was presented: {compare}, and type its last 8 digits"
        return trust_presented(case, title)
    return trust_file(f"Else get {name} as a file (PEM or DER), {compare}, and trust it")
