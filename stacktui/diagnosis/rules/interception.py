"""TLS opened on the way: a chain that ends in a gateway's root instead of the stamp's."""

from __future__ import annotations

import re

from stacktui.certificates.chain import Certificate, describe, top_of
from stacktui.certificates.verify import ROOTLESS
from stacktui.diagnosis.context import Explained, FailureContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import accept, trust_file, trust_presented
from stacktui.diagnosis.rules.recorded import is_of_other_root, recorded_top, signers
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


def interceptor(path: tuple[Certificate, ...]) -> str | None:
    """The name of the CA that ends `path` (leaf first), if it is named like an interceptor's."""
    if not path:
        return None
    top = path[-1]
    return top.issuer_name if _INTERCEPTOR.search(f"{top.issuer} {top.issuer_name}") else None


@rule(
    "tls-intercepted",
    Side.NETWORK,
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: … (Caused by SSLError(SSLCertVerificationError(1, '… certificate verify failed",
)
def tls_intercepted(case: FailureContext) -> Explained | None:
    why = why_intercepted(case)
    if not why:
        return None
    now, before = _whole(case)[-1], recorded_top(case)
    facts = (
        *chain_lines(case.presented_chain),
        trust_line(case.step.evidence.trust),
        *route_lines(case),
    )
    if before is not None and not _told_by_itself(case):
        title = (
            f"{signers(case.host, now, before)}: either TLS is opened on the way, or the operator "
            "has renewed the CA"
        )
        return title, (*why, *_either_way(now), *facts), _either_mend(case, now)
    remedies = (
        Remedy(f"Ask for {case.host} to be exempt from TLS inspection: then the stamp answers"),
        _trust(case, now.issuer_name),
        _VERIFY,
    )
    title = f"{now.issuer_name} signs for {case.host}: TLS is opened on the way"
    return title, (*why, *facts), remedies


_VERIFY = Remedy(
    "Do not switch verification off: then anybody on the way can read your secrets, not only the "
    "gateway"
)


def _either_way(now: Certificate) -> tuple[str, ...]:
    """What speaks for which, where the record is all there is."""
    name = now.issuer_name
    root = f"its SHA-256 is {now.sha256}" if now.self_issued else "it was not presented itself"
    return (
        f"for TLS opened on the way: {name} is new here, and this box does not trust it",
        f"for a renewed CA: {name} is not named like products that open TLS",
        f"only the stamp's operator can tell whether {name} is theirs; {root}",
    )


def _either_mend(case: FailureContext, now: Certificate) -> tuple[Remedy, ...]:
    name, host = now.issuer_name, case.host
    ask = f"Ask the stamp's operator whether {name} is theirs, and compare its SHA-256 with what"
    if case.root_is_at_hand:
        ours = trust_presented(
            case, f"{ask} they tell you; if it is the same, trust it by its last 8 digits"
        )
    else:
        ours = trust_file(f"{ask} they give you as a file (PEM or DER); if it is theirs, trust it")
    return (
        ours,
        accept(case, f"Once it is trusted, accept {name} in place of what was recorded"),
        Remedy(
            f"If it is not theirs, ask for {host} to be exempt from TLS inspection, and sign in "
            "nowhere until then"
        ),
        _VERIFY,
    )


def why_intercepted(case: FailureContext) -> list[str]:
    """What tells that the root is somebody else's than the stamp's; empty where nothing does."""
    if (
        case.verify_code not in ROOTLESS
        or not case.verified_path
        or case.verified_path[-1].unreadable
    ):
        return []
    return [*_told_by_itself(case), *_told_by_record(case)]


def _whole(case: FailureContext) -> tuple[Certificate, ...]:
    """The path from the leaf up, with what was had of it beyond what was presented."""
    found = case.completion.found if case.completion else ()
    return (*case.verified_path, *(describe(each.der) for each in found))


def _told_by_itself(case: FailureContext) -> list[str]:
    path, why = _whole(case), []
    if name := interceptor(path):
        why.append(f"the chain of {case.host} ends at {name}, named like products that open TLS")
    name = path[-1].issuer_name
    return why + [f"{name} signs for {host} too, a host of Microsoft's" for host in _public(case)]


def _told_by_record(case: FailureContext) -> list[str]:
    record, before = case.report.recorded, recorded_top(case) if case.at_arm else None
    path = _whole(case)
    # A root that came anew under its old name is more likely the stamp's, deployed anew.
    if record is None or before is None or before.issuer == path[-1].issuer:
        return []
    if not is_of_other_root(path, before):
        return []
    since, name = f"{record.recorded:%Y-%m-%d}", path[-1].issuer_name
    return [f"on {since}, when all was well, {before.issuer_name} signed for it; now {name}"]


def _public(case: FailureContext) -> list[str]:
    """Public login hosts whose chains end in the same root, which this box does not trust."""
    found = []
    for probe in case.report.probes:
        seen = probe.exchange.connection
        tls = seen.tls if seen and probe.exchange.fault else None
        if seen is None or tls is None or not tls.chain or seen.host not in PUBLIC_LOGIN_HOSTS:
            continue
        there = describe(top_of(tls.chain))
        if there.unreadable or tls.trouble not in ROOTLESS:
            continue
        if not is_of_other_root(_whole(case), there):
            found.append(seen.host)
    return found


def _trust(case: FailureContext, name: str) -> Remedy:
    """Trust the interceptor's root, if the user knows it to be their own company's."""
    compare = "compare its SHA-256 with what whoever runs the gateway tells you"
    if case.root_is_at_hand:
        title = f"Else trust {name} as it was presented: {compare}, and type its last 8 digits"
        return trust_presented(case, title)
    return trust_file(f"Else get {name} as a file (PEM or DER), {compare}, and trust it")
