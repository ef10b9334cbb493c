"""Certificates that this box does not accept."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise

from stacktui.certificates.chain import Certificate
from stacktui.diagnosis.case import Case, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.rules.interception import interceptor
from stacktui.diagnosis.shell import bash, powershell, toml
from stacktui.diagnosis.words import chain_lines, names_line, trust_line
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT

# OpenSSL's X509_V_ERR numbers (x509_vfy.h).
_HAS_EXPIRED = 10
_SELF_SIGNED_IN_CHAIN = 19
_NO_LOCAL_ISSUER = 20
_HOSTNAME_MISMATCH = 62
_IP_MISMATCH = 64
# The root that every development kit makes for itself (PROTOCOL.md section 6).
_ASDK_ROOT = "AzureStackSelfSignedRootCert"
_ROOT = re.compile(r"(?<![^\W_])root(?![^\W\d_])", re.IGNORECASE)
_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by SSLError(SSLCertVerificationError(1, "
)


@rule("tls-expired", Side.STAMP, _AZ + "'… certificate has expired …')))")
def tls_expired(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
    if case.verify_code != _HAS_EXPIRED:
        return None
    which = next((each for each in case.chain if _ended(each, case.now)), None)
    if which is None or which.not_after is None:
        return None
    title = f"The certificate of {case.host} has expired"
    if which is not case.chain[0]:
        title = f"The CA certificate {which.common_name} behind {case.host} has expired"
    ended = f"{which.common_name} ended {which.not_after:%Y-%m-%d %H:%M} UTC"
    evidence = (f"{ended}, {_ago(case.now, which.not_after)}", _clock_line(case))
    remedies = (
        Remedy("The stamp's operator renews the certificate (secret rotation)"),
        Remedy(
            "If this box's clock is wrong, set it: a wrong clock makes good certificates look old",
            "timedatectl status; sudo timedatectl set-ntp true",
            "w32tm /query /status; w32tm /resync",
        ),
    )
    return title, (*evidence, *chain_lines(case.chain)), remedies


# The same fault on the other side: all that was presented is good.
@rule("tls-expired", Side.BOX, _AZ + "'… certificate has expired …')))")
def tls_expired_here(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
    if case.verify_code != _HAS_EXPIRED or not case.chain:
        return None
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


def _clock_line(case: Case) -> str:
    return f"this box's clock says {case.now:%Y-%m-%d %H:%M} UTC"


def _ago(now: datetime, then: datetime) -> str:
    days = (now - then).days
    return f"{days} days ago" if days else f"{(now - then).seconds // 3600} hours ago"


@rule("tls-name-mismatch", Side.STAMP, _AZ + '"… Hostname mismatch, certificate is not valid …")))')
def tls_name_mismatch(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
    if case.verify_code not in (_HOSTNAME_MISMATCH, _IP_MISMATCH):
        return None
    names = case.chain[0].names if case.chain else ()
    evidence = (f"asked for: {case.host}", f"the certificate is for: {names_line(names)}")
    remedies = []
    if case.at_arm and (nearest := _nearest(case.host, names)):
        url = toml(f"https://{nearest}" + (f":{case.port}" if case.port != 443 else ""))
        remedies.append(
            Remedy(f"If {nearest} is the name that is meant, under {case.section}: arm = {url}")
        )
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
def tls_untrusted_root(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
    if not _reaches_root(case.chain, case.verify_code):
        return None
    if interceptor(case.chain):
        return None  # the root to trust is not the stamp's: tls-intercepted tells
    top = case.chain[-1]
    root = top.common_name if top.self_issued else top.issuer_name
    evidence = [
        f"the chain of {case.host} ends at {root}, which no store in use holds",
        trust_line(case.step.evidence.trust),
        *chain_lines(case.chain),
    ]
    if top.self_issued:
        evidence.insert(1, f"{root} has SHA-256 {top.sha256}")
    return (
        f"Nobody here trusts {root}, which signs for {case.host}",
        tuple(evidence),
        _trust(case, root),
    )


def _reaches_root(chain: tuple[Certificate, ...], code: int | None) -> bool:
    """Whether the chain is whole up to its root, so that only trust in the root is missing.

    A chain that stops below its root tells nothing: one more intermediate may be missing, and the
    root be trusted. Only a name can tell that the missing certificate is the root.
    """
    if not chain or any(lower.issuer != upper.subject for lower, upper in pairwise(chain)):
        return False
    top = chain[-1]
    if code == _SELF_SIGNED_IN_CHAIN:
        return top.self_issued
    named_root = top.issuer_name == _ASDK_ROOT or bool(_ROOT.search(top.issuer_name))
    return code == _NO_LOCAL_ISSUER and not top.self_issued and named_root


def _trust(case: Case, root: str) -> tuple[Remedy, ...]:
    remedies = [
        Remedy(
            f"If you have {root} as a file (PEM or DER) from the stamp's operator: "
            "stacktui certificates trust FILE"
        ),
        Remedy(
            "See which trust store on this box trusts it, and which does not",
            case.command("certificates matrix", bash),
            case.command("certificates matrix", powershell),
        ),
    ]
    if case.chain[-1].self_issued:
        title = (
            f"Trust {root} as it was presented: you compare its SHA-256 with what the stamp's "
            "operator tells you, and type its last 8 digits"
        )
        pasted = _trust_presented(case, bash), _trust_presented(case, powershell)
        remedies.insert(0, Remedy(title, *pasted))
    remedies.append(
        Remedy(
            "Then for az: a bundle of certifi's roots and yours, which upgrades leave alone",
            "stacktui certificates export",
            "stacktui certificates export",
        )
    )
    return tuple(remedies)


def _trust_presented(case: Case, quote: Callable[[str], str]) -> str:
    host = "" if case.at_arm else f" --host {quote(f'{case.host}:{case.port}')}"
    name = quote(case.environment.name)
    return f"stacktui certificates trust{case.config_option(quote)}{host} --presented={name}"
