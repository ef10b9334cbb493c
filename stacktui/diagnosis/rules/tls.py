"""Certificates that this box does not accept."""

from __future__ import annotations

from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.verify import NO_ISSUER, VerifyCode
from stacktui.diagnosis.context import Explained, FailureContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import trust_file, trust_presented
from stacktui.diagnosis.rules.chains import (
    NAMED_ROOT,
    tls_missing_intermediate,
    tls_self_signed,
    tls_weak,
)
from stacktui.diagnosis.rules.dates import (
    tls_expired,
    tls_expired_here,
    tls_not_yet_valid,
    tls_not_yet_valid_here,
)
from stacktui.diagnosis.rules.interception import tls_intercepted, why_intercepted
from stacktui.diagnosis.rules.names import tls_name_mismatch, tls_name_mistaken
from stacktui.diagnosis.rules.recorded import is_of_other_root, recorded_top
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import chain_lines, trust_line

# The root that every development kit makes for itself (PROTOCOL.md section 6).
_ASDK_ROOT = "AzureStackSelfSignedRootCert"
_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by SSLError(SSLCertVerificationError(1, "
)


@rule("tls-untrusted-root", Side.BOX, _AZ + "'… unable to get local issuer certificate …')))")
def tls_untrusted_root(case: FailureContext) -> Explained | None:
    found = _found_root(case)
    if found is None and not _reaches_root(case):
        return None
    top = found or case.path_end
    if top is None or why_intercepted(case):
        return None  # the root to trust is not the stamp's: tls-intercepted tells
    root = top.common_name if top.self_issued else top.issuer_name
    holders = case.completion.holders if case.completion else ()
    evidence = [
        f"the chain of {case.host} ends at {root}, which no store in use holds",
        trust_line(case.step.evidence.trust),
        *chain_lines(case.presented_chain),
    ]
    if holders:
        evidence.insert(1, f"other stores of this box hold it: {', '.join(holders)}")
    if top.self_issued:
        evidence.insert(1, f"{root} has SHA-256 {top.sha256}")
    if case.verify_code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT:
        what = "a certificate below it is in the store in use, but without the root it counts for"
        evidence.insert(1, f"{what} nothing")
    evidence += _same_name(case, top)
    return (
        f"The trust store in use does not hold {root}, which signs for {case.host}",
        tuple(evidence),
        _trust(case, root),
    )


# The same, where a store holds a root of the same name: OpenSSL takes that one, and it fits not.
@rule("tls-untrusted-root", Side.BOX, _AZ + "'… certificate signature failure …')))")
def tls_renewed_root(case: FailureContext) -> Explained | None:
    top = case.path_end
    # A path up to a root is whole in itself: so it is not the chain that is damaged.
    if top is None or not top.self_issued:
        return None
    if case.verify_code != VerifyCode.CERT_SIGNATURE_FAILURE:
        return None
    evidence = (
        f"{top.common_name}, as presented, has SHA-256 {top.sha256} and signed the chain",
        "a store in use holds another certificate of that name, whose key did not",
        trust_line(case.step.evidence.trust),
        *_same_name(case, top),
        *chain_lines(case.presented_chain),
    )
    title = (
        f"{top.common_name}, which signs for {case.host}, is not the root of that name which this "
        "box trusts"
    )
    return title, evidence, (*_untrust_recorded(case), *_trust(case, top.common_name))


def _untrust_recorded(case: FailureContext) -> tuple[Remedy, ...]:
    before = recorded_top(case) if case.at_arm else None
    what = "Take the old root out, since of two of one name OpenSSL may take the wrong one"
    if before is None or not before.self_issued:
        return (Remedy(f"{what}: stacktui certificates untrust, or the file of ca"),)
    command = f"stacktui certificates untrust {before.sha256}"
    return (Remedy(what, command, command),)


def _found_root(case: FailureContext) -> Certificate | None:
    """The root above what was presented, or what is nearest to it, if the store in use does not
    hold it: had as the direct issuer, or above what that store does hold."""
    found = case.completion.found if case.completion else ()
    if not found:
        return None
    last = describe(found[-1].der)
    if case.verify_code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT:
        return last
    direct = case.verify_code in NO_ISSUER and len(found) == 1
    return last if direct and last.self_issued else None


def _same_name(case: FailureContext, top: Certificate) -> list[str]:
    """What is known of another root of the same name: then a stamp was deployed anew, or worse."""
    before = recorded_top(case) if case.at_arm else None
    if before is None or before.issuer != top.issuer or not is_of_other_root((top,), before):
        return []
    told = f"the recorded root has the same name, but SHA-256 {before.sha256}"
    return [f"{told}: the stamp was deployed anew, or somebody imitates it"]


def _reaches_root(case: FailureContext) -> bool:
    """Whether the chain is whole up to its root, so that only trust in the root is missing.

    A chain that stops below its root tells nothing: one more intermediate may be missing, and the
    root be trusted. Only a name can tell that the missing certificate is the root.
    """
    top, code = case.path_end, case.verify_code
    if top is None:
        return False
    # The second: as far as an intermediate, the chain is in the store as well.
    if code in (VerifyCode.SELF_SIGNED_CERT_IN_CHAIN, VerifyCode.UNABLE_TO_GET_ISSUER_CERT):
        return top.self_issued
    named_root = top.issuer_name == _ASDK_ROOT or bool(NAMED_ROOT.search(top.issuer_name))
    return (
        code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY and not top.self_issued and named_root
    )


def _trust(case: FailureContext, root: str) -> tuple[Remedy, ...]:
    remedies = [
        trust_file(
            f"If you have {root} as a file (PEM or DER) from the stamp's operator, trust it"
        ),
        Remedy(
            "See which trust store on this box trusts it, and which does not",
            case.command("certificates matrix", bash),
            case.command("certificates matrix", powershell),
        ),
    ]
    if case.root_is_at_hand:
        title = (
            f"Trust {root} as it was presented: you compare its SHA-256 with what the stamp's "
            "operator tells you, and type its last 8 digits"
        )
        remedies.insert(0, trust_presented(case, title))
    remedies.append(
        Remedy(
            "Then for az: a bundle of certifi's roots and yours, which upgrades leave alone",
            f"stacktui certificates export{case.config_option(bash)}",
            f"stacktui certificates export{case.config_option(powershell)}",
        )
    )
    return tuple(remedies)


RULES = (
    tls_expired,
    tls_expired_here,
    tls_not_yet_valid,
    tls_not_yet_valid_here,
    tls_weak,
    tls_name_mismatch,
    tls_name_mistaken,
    tls_intercepted,
    tls_self_signed,
    tls_missing_intermediate,
    tls_renewed_root,
    tls_untrusted_root,
)
