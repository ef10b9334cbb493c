"""Evidence of TLS interception: the rejected chain ends in a root that is not the stamp's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.certificates.interceptors import interceptor
from stacktui.certificates.same_root import is_of_other_root
from stacktui.certificates.verify import ROOTLESS
from stacktui.diagnosis.context import FailureContext, described, described_path
from stacktui.diagnosis.recorded_root import recorded_signer
from stacktui.identities.authority import PUBLIC_LOGIN_HOSTS

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate


def why_intercepted(failure: FailureContext) -> list[str]:
    """Return the evidence that the root is not the stamp's; empty if there is none."""
    if (
        failure.verify_code not in ROOTLESS
        or not failure.verified_path
        or failure.verified_path[-1].unreadable
    ):
        return []
    return [*evidence_of_chain(failure), *_evidence_of_record(failure)]


def completed_path(failure: FailureContext) -> tuple[Certificate, ...]:
    """Return the path from the leaf up, with the issuers found beyond the presented chain."""
    found = failure.completion.found if failure.completion else ()
    return (*failure.verified_path, *(described(each.der) for each in found))


def evidence_of_chain(failure: FailureContext) -> list[str]:
    """Return the evidence in the chain itself, regardless of the record."""
    path, host = completed_path(failure), failure.host
    why = []
    if name := interceptor(path):
        why.append(f"the chain of {host} ends at {name}, named like products that open TLS")
    name = path[-1].issuer_name
    why += [
        f"{name} signs for {public} too, a host of Microsoft's"
        for public in _same_root_hosts(failure)
    ]
    return why


def _evidence_of_record(failure: FailureContext) -> list[str]:
    record = failure.report.recorded
    before = recorded_signer(failure) if failure.at_arm else None
    path = completed_path(failure)
    # A new root with the old name is more likely that of a redeployed stamp.
    if record is None or before is None or before.issuer == path[-1].issuer:
        return []
    if not is_of_other_root(path, before):
        return []
    since, name = f"{record.recorded:%Y-%m-%d}", path[-1].issuer_name
    return [f"on {since}, when all was well, {before.issuer_name} signed for it; now {name}"]


def _same_root_hosts(failure: FailureContext) -> list[str]:
    """Return the public login hosts whose chains end in the same untrusted root."""
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
