"""Certificates that this box does not accept."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from stacktui.certificates.chain import Certificate, describe, path_of
from stacktui.certificates.verify import NAMES, NO_ISSUER, VerifyCode
from stacktui.diagnosis.case import Case, Explained, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import set_value, trust_file, trust_presented
from stacktui.diagnosis.rules.chains import (
    NAMED_ROOT,
    tls_missing_intermediate,
    tls_self_signed,
    tls_weak,
)
from stacktui.diagnosis.rules.clocks import other_clock
from stacktui.diagnosis.rules.interception import tls_intercepted, why_intercepted
from stacktui.diagnosis.rules.recorded import anchor_of, recorded_anchor
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import chain_lines, names_line, trust_line
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT

# The root that every development kit makes for itself (PROTOCOL.md section 6).
_ASDK_ROOT = "AzureStackSelfSignedRootCert"
# Seconds: certificates begin on the minute.
_SLACK = 60.0
_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by SSLError(SSLCertVerificationError(1, "
)


@rule("tls-expired", Side.STAMP, _AZ + "'… certificate has expired …')))")
def tls_expired(case: Case) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_HAS_EXPIRED:
        return None
    which = next((each for each in case.chain if _ended(each, case.now)), None)
    if which is None or which.not_after is None or _right_clock(case):
        return None
    title = f"The certificate of {case.host} has expired"
    if which is not case.chain[0]:
        title = f"The CA certificate {which.common_name} behind {case.host} has expired"
    ended = f"{which.common_name} ended {which.not_after:%Y-%m-%d %H:%M} UTC"
    evidence = (f"{ended}, {_ago(case.now, which.not_after)}", _clock_line(case))
    remedies = (
        Remedy("The stamp's operator renews the certificate (secret rotation)"),
        _set_clock("If this box's clock is wrong, set it: good certificates then look old"),
    )
    return title, (*evidence, *chain_lines(case.chain)), remedies


def _set_clock(title: str) -> Remedy:
    return Remedy(
        title,
        "timedatectl status; sudo timedatectl set-ntp true",
        "w32tm /query /status; w32tm /resync",
    )


def _right_clock(case: Case) -> datetime | None:
    """The stamp's clock, if this box's differs and by it all that was presented is valid."""
    there = other_clock(case, _SLACK)
    if there is None or not case.chain:
        return None
    good = all(
        each.not_before and each.not_after and each.not_before <= there <= each.not_after
        for each in case.chain
    )
    return there if good else None


def _clock(case: Case, there: datetime) -> Explained:
    host, skew = case.host, there - case.now
    evidence = (
        _clock_line(case),
        f"the stamp's Date says {there:%Y-%m-%d %H:%M} UTC: then what {host} presents is valid",
        *chain_lines(case.chain),
    )
    off = f"{abs(skew).days} days" if abs(skew).days else f"{abs(skew).seconds // 60} minutes"
    title = (
        f"This box's clock is {off} {'behind' if skew > timedelta() else 'ahead'}: by it the "
        f"certificate of {host} is not valid"
    )
    return title, evidence, (_set_clock("Set this box's clock"),)


# The same fault on the other side: all that was presented is good.
@rule("tls-expired", Side.BOX, _AZ + "'… certificate has expired …')))")
def tls_expired_here(case: Case) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_HAS_EXPIRED or not case.chain:
        return None
    if there := _right_clock(case):
        return _clock(case, there)
    if any(each.not_after is None or _ended(each, case.now) for each in case.chain):
        return None
    top = case.chain[-1].issuer_name
    evidence = (
        f"OpenSSL says that a certificate has expired, but none that {case.host} presents has",
        f"the chain is presented up to what {top} signed",
        _clock_line(case),
        trust_line(case.step.evidence.trust),
        *chain_lines(case.chain),
    )
    remedies = (
        Remedy(
            f"Replace the expired certificate of {top} in the files trusted here by its renewed "
            "one; the stamp's operator has it"
        ),
    )
    return f"A CA certificate that this box trusts for {case.host} has expired", evidence, remedies


def _ended(certificate: Certificate, now: datetime) -> bool:
    return certificate.not_after is not None and certificate.not_after < now


@rule("tls-not-yet-valid", Side.STAMP, _AZ + "'… certificate is not yet valid …')))")
def tls_not_yet_valid(case: Case) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_NOT_YET_VALID or _right_clock(case):
        return None
    which = next((each for each in case.chain if _begins_later(each, case.now)), None)
    if which is None or which.not_before is None:
        return None
    title = f"The certificate of {case.host} is not valid yet"
    if which is not case.chain[0]:
        title = f"The CA certificate {which.common_name} behind {case.host} is not valid yet"
    begins = f"{which.common_name} begins {which.not_before:%Y-%m-%d %H:%M} UTC"
    evidence = (f"{begins}, in {_until(case.now, which.not_before)}", _clock_line(case))
    remedies = (
        _set_clock("Check this box's clock first, and set it if it is behind"),
        Remedy(
            "If it is right, the stamp's operator puts back a certificate that is valid today "
            "(its CA's clock was ahead, or it was deployed too early)"
        ),
    )
    return title, (*evidence, *chain_lines(case.chain)), remedies


# The same fault on the other side: this box's clock, or a certificate of its own.
@rule("tls-not-yet-valid", Side.BOX, _AZ + "'… certificate is not yet valid …')))")
def tls_not_yet_valid_here(case: Case) -> Explained | None:
    if case.verify_code != VerifyCode.CERT_NOT_YET_VALID or not case.chain:
        return None
    if there := _right_clock(case):
        return _clock(case, there)
    if any(each.not_before is None or _begins_later(each, case.now) for each in case.chain):
        return None
    top = case.chain[-1].issuer_name
    evidence = (
        f"OpenSSL says that a certificate is not valid yet, but all that {case.host} presents are",
        f"the chain is presented up to what {top} signed",
        _clock_line(case),
        trust_line(case.step.evidence.trust),
        *chain_lines(case.chain),
    )
    remedies = (
        _set_clock("Check this box's clock first, and set it if it is behind"),
        Remedy(f"Else take the certificate of {top} that begins later out of the files trusted"),
    )
    title = f"A CA certificate that this box trusts for {case.host} is not valid yet"
    return title, evidence, remedies


def _begins_later(certificate: Certificate, now: datetime) -> bool:
    return certificate.not_before is not None and certificate.not_before > now


def _until(now: datetime, then: datetime) -> str:
    left = then - now
    if left.days:
        return f"{left.days} days"
    return f"{left.seconds // 3600} hours" if left.seconds >= 3600 else "less than an hour"


def _clock_line(case: Case) -> str:
    return f"this box's clock says {case.now:%Y-%m-%d %H:%M} UTC"


def _ago(now: datetime, then: datetime) -> str:
    days = (now - then).days
    return f"{days} days ago" if days else f"{(now - then).seconds // 3600} hours ago"


@rule("tls-name-mismatch", Side.STAMP, _AZ + '"… Hostname mismatch, certificate is not valid …")))')
def tls_name_mismatch(case: Case) -> Explained | None:
    return None if _asked_wrongly(case) else _other_names(case)


# The same where the name that was asked is none of a stamp's, and the right one is offered.
@rule("tls-name-mismatch", Side.BOX, _AZ + '"… Hostname mismatch, certificate is not valid …")))')
def tls_name_mistaken(case: Case) -> Explained | None:
    return _other_names(case) if _asked_wrongly(case) else None


def _asked_wrongly(case: Case) -> bool:
    """Whether ARM was asked by its address, or by a name beside its own in the same domain."""
    names = case.chain[0].names if case.chain else ()
    label, _, domain = case.host.partition(".")
    own = {f"{each}.{domain}" for each in (USER_ENDPOINT, OPERATOR_ENDPOINT)}
    by_address = case.verify_code == VerifyCode.IP_ADDRESS_MISMATCH
    beside = label not in (USER_ENDPOINT, OPERATOR_ENDPOINT) and bool(own & set(names))
    return case.at_arm and (beside or (by_address and _nearest(case.host, names) is not None))


def _other_names(case: Case) -> Explained | None:
    if case.verify_code not in NAMES:
        return None
    names = case.chain[0].names if case.chain else ()
    evidence = (f"asked for: {case.host}", f"the certificate is for: {names_line(names)}")
    remedies = []
    if case.at_arm and (nearest := _nearest(case.host, names)):
        url = f"https://{nearest}" + (f":{case.port}" if case.port != 443 else "")
        title = f"If {nearest} is the name that is meant, set it"
        remedies.append(set_value(case, title, "arm", url))
    remedies.append(
        Remedy(f"Else the stamp's operator issues a certificate that names {case.host}")
    )
    return f"The certificate is not for {case.host}", evidence, tuple(remedies)


def _nearest(host: str, names: tuple[str, ...]) -> str | None:
    """The offered name that may have been meant: an ARM endpoint's, or one of the same domain."""

    def shared(name: str) -> int:
        pairs = zip(
            reversed(host.lower().split(".")), reversed(name.lower().split(".")), strict=False
        )
        return sum(1 for ours, theirs in pairs if ours == theirs)

    arm = (USER_ENDPOINT, OPERATOR_ENDPOINT)
    likely = [name for name in names if name.partition(".")[0] in arm or shared(name) >= 2]
    plain = [name for name in likely if not name.startswith("*")]
    return max(plain, key=shared, default=None)


@rule("tls-untrusted-root", Side.BOX, _AZ + "'… unable to get local issuer certificate …')))")
def tls_untrusted_root(case: Case) -> Explained | None:
    found = _found_root(case)
    if found is None and not _reaches_root(case.chain, case.verify_code):
        return None
    if why_intercepted(case):
        return None  # the root to trust is not the stamp's: tls-intercepted tells
    top = found or case.chain[-1]
    root = top.common_name if top.self_issued else top.issuer_name
    holders = case.completion.holders if case.completion else ()
    evidence = [
        f"the chain of {case.host} ends at {root}, which no store in use holds",
        trust_line(case.step.evidence.trust),
        *chain_lines(case.chain),
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
def tls_renewed_root(case: Case) -> Explained | None:
    code, chain = case.verify_code, case.chain
    if code != VerifyCode.CERT_SIGNATURE_FAILURE or not chain or not chain[-1].self_issued:
        return None
    tls = case.connection.tls if case.connection else None
    ders = tls.chain if tls else ()
    # Whole in itself: so it is not the chain that is damaged.
    if path_of(ders)[-1:] != (len(ders) - 1,):
        return None
    top = chain[-1]
    evidence = (
        f"{top.common_name}, as presented, has SHA-256 {top.sha256} and signed the chain",
        "a store in use holds another certificate of that name, whose key did not",
        trust_line(case.step.evidence.trust),
        *_same_name(case, top),
        *chain_lines(chain),
    )
    title = (
        f"{top.common_name}, which signs for {case.host}, is not the root of that name which this "
        "box trusts"
    )
    return title, evidence, (*_untrust_recorded(case), *_trust(case, top.common_name))


def _untrust_recorded(case: Case) -> tuple[Remedy, ...]:
    before = recorded_anchor(case) if case.at_arm else None
    what = "Take the old root out, since of two of one name OpenSSL may take the wrong one"
    if before is None or not before.sha256:
        return (Remedy(f"{what}: stacktui certificates untrust, or the file of ca"),)
    command = f"stacktui certificates untrust {before.sha256}"
    return (Remedy(what, command, command),)


def _found_root(case: Case) -> Certificate | None:
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


def _same_name(case: Case, top: Certificate) -> list[str]:
    """What is known of another root of the same name: then a stamp was deployed anew, or worse."""
    before, now = recorded_anchor(case) if case.at_arm else None, anchor_of(top)
    if before is None or now is None or not before.is_other(now) or before.issuer != now.issuer:
        return []
    told = f"the recorded root has the same name, but SHA-256 {before.sha256}"
    return [f"{told}: the stamp was deployed anew, or somebody imitates it"]


def _reaches_root(chain: tuple[Certificate, ...], code: int | None) -> bool:
    """Whether the chain is whole up to its root, so that only trust in the root is missing.

    A chain that stops below its root tells nothing: one more intermediate may be missing, and the
    root be trusted. Only a name can tell that the missing certificate is the root.
    """
    if not chain or any(lower.issuer != upper.subject for lower, upper in pairwise(chain)):
        return False
    top = chain[-1]
    # The second: as far as an intermediate, the chain is in the store as well.
    if code in (VerifyCode.SELF_SIGNED_CERT_IN_CHAIN, VerifyCode.UNABLE_TO_GET_ISSUER_CERT):
        return top.self_issued
    named_root = top.issuer_name == _ASDK_ROOT or bool(NAMED_ROOT.search(top.issuer_name))
    return (
        code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY and not top.self_issued and named_root
    )


def _trust(case: Case, root: str) -> tuple[Remedy, ...]:
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
