"""How TLS that is opened on the way shows: another root ends a chain that this machine rejects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.certificates.interceptors import interceptor
from stacktui.certificates.verify import ROOTLESS
from stacktui.diagnosis.context import FailureContext, described, described_path
from stacktui.diagnosis.recorded_root import is_of_other_root, recorded_path_end
from stacktui.identities.authority import PUBLIC_LOGIN_HOSTS

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate


def why_intercepted(failure: FailureContext) -> list[str]:
    """What shows that the root is somebody else's than the stamp's; empty where nothing does."""
    if (
        failure.verify_code not in ROOTLESS
        or not failure.verified_path
        or failure.verified_path[-1].unreadable
    ):
        return []
    return [*evidence_of_chain(failure), *_evidence_of_record(failure)]


def completed_path(failure: FailureContext) -> tuple[Certificate, ...]:
    """The path from the leaf up, with what was found of it beyond what was presented."""
    found = failure.completion.found if failure.completion else ()
    return (*failure.verified_path, *(described(each.der) for each in found))


def evidence_of_chain(failure: FailureContext) -> list[str]:
    """What the chain itself says, whatever was recorded before."""
    path, host = completed_path(failure), failure.host
    why = []
    if name := interceptor(path):
        why.append(f"the chain of {host} ends at {name}, named like products that open TLS")
    name = path[-1].issuer_name
    why += [f"{name} signs for {public} too, a host of Microsoft's" for public in _public(failure)]
    return why


def _evidence_of_record(failure: FailureContext) -> list[str]:
    record = failure.report.recorded
    before = recorded_path_end(failure) if failure.at_arm else None
    path = completed_path(failure)
    # A root that came anew under its old name is more likely the stamp's, deployed anew.
    if record is None or before is None or before.issuer == path[-1].issuer:
        return []
    if not is_of_other_root(path, before):
        return []
    since, name = f"{record.recorded:%Y-%m-%d}", path[-1].issuer_name
    return [f"on {since}, when all was well, {before.issuer_name} signed for it; now {name}"]


def _public(failure: FailureContext) -> list[str]:
    """Public login hosts whose chains end in the same root, which this machine does not trust."""
    found = []
    for probe in failure.report.probes:
        seen = probe.exchange.connection
        tls = seen.tls if seen and probe.exchange.fault else None
        if seen is None or tls is None or not tls.chain or seen.host not in PUBLIC_LOGIN_HOSTS:
            continue
        there = described_path(tls.chain)[-1]
        if there.unreadable or tls.effective_verify_code not in ROOTLESS:
            continue
        if not is_of_other_root(completed_path(failure), there):
            found.append(seen.host)
    return found
