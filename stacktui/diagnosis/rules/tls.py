"""Certificates that this box does not accept."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from stacktui.certificates.chain import Certificate
from stacktui.diagnosis.case import Case, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.rules.interception import interceptor
from stacktui.diagnosis.shell import bash, toml
from stacktui.diagnosis.words import chain_lines, trust_line
from stacktui.transport.facts import TransportFaultKind

# OpenSSL's X509_V_ERR numbers (x509_vfy.h).
_HAS_EXPIRED = 10
_SELF_SIGNED_IN_CHAIN = 19
_NO_LOCAL_ISSUER = 20
_HOSTNAME_MISMATCH = 62
_IP_MISMATCH = 64
# The root that every development kit makes for itself (PROTOCOL.md section 6).
_ASDK_ROOT = "AzureStackSelfSignedRootCert"
_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by SSLError(SSLCertVerificationError(1, "
)


def _verify_code(case: Case) -> int | None:
    fault = case.transport(TransportFaultKind.TLS_VERIFY)
    return fault.verify_code if fault else None


@rule("tls-expired", Side.STAMP, _AZ + "'… certificate has expired …')))")
def tls_expired(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
    if _verify_code(case) != _HAS_EXPIRED:
        return None
    expired = [each for each in case.chain if each.not_after and each.not_after < case.now]
    which = expired[0] if expired else None
    title = f"The certificate of {case.host} has expired"
    evidence = [f"this box's clock says {case.now:%Y-%m-%d %H:%M} UTC"]
    if which is not None and which.not_after is not None:
        if which is not case.chain[0]:
            title = f"The CA certificate {which.common_name} behind {case.host} has expired"
        ended = f"{which.common_name} ended {which.not_after:%Y-%m-%d %H:%M} UTC"
        evidence.insert(0, f"{ended}, {_ago(case.now, which.not_after)}")
    remedies = (
        Remedy("The stamp's operator renews the certificate (secret rotation)"),
        Remedy(
            "If this box's clock is wrong, set it: a wrong clock makes good certificates look old",
            "timedatectl status; sudo timedatectl set-ntp true",
            "w32tm /query /status; w32tm /resync",
        ),
    )
    return title, (*evidence, *chain_lines(case.chain)), remedies


def _ago(now: datetime, then: datetime) -> str:
    days = (now - then).days
    return f"{days} days ago" if days else f"{(now - then).seconds // 3600} hours ago"


@rule("tls-name-mismatch", Side.STAMP, _AZ + '"… Hostname mismatch, certificate is not valid …")))')
def tls_name_mismatch(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
    if _verify_code(case) not in (_HOSTNAME_MISMATCH, _IP_MISMATCH):
        return None
    names = case.chain[0].names if case.chain else ()
    shown = ", ".join(names[:12]) + (f", … ({len(names)} in all)" if len(names) > 12 else "")
    evidence = (f"asked for: {case.host}", f"the certificate is for: {shown or '(no names)'}")
    remedies = []
    if nearest := _nearest(case.host, names):
        url = toml(f"https://{nearest}" + (f":{case.port}" if case.port != 443 else ""))
        remedies.append(
            Remedy(f"If {nearest} is the name that is meant, under {case.section}: arm = {url}")
        )
    remedies.append(
        Remedy(f"Else the stamp's operator issues a certificate that names {case.host}")
    )
    return f"The certificate is not for {case.host}", evidence, tuple(remedies)


def _nearest(host: str, names: tuple[str, ...]) -> str | None:
    """The offered name that shares most labels with the one asked for, counted from the right."""

    def shared(name: str) -> int:
        pairs = zip(
            reversed(host.lower().split(".")), reversed(name.lower().split(".")), strict=False
        )
        return sum(1 for ours, theirs in pairs if ours == theirs)

    plain = [name for name in names if not name.startswith("*")]
    return max(plain, key=shared, default=None)


@rule("tls-untrusted-root", Side.BOX, _AZ + "'… unable to get local issuer certificate …')))")
def tls_untrusted_root(case: Case) -> tuple[str, tuple[str, ...], tuple[Remedy, ...]] | None:
    code = _verify_code(case)
    if code not in (_SELF_SIGNED_IN_CHAIN, _NO_LOCAL_ISSUER) or not _reaches_root(case.chain):
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


def _reaches_root(chain: tuple[Certificate, ...]) -> bool:
    """Whether the chain is whole up to its root, so that only trust in the root is missing.

    A leaf alone tells nothing: its intermediate may be missing. The development kit's root is
    the exception, as it signs leaves itself.
    """
    linked = all(lower.issuer == upper.subject for lower, upper in pairwise(chain))
    if len(chain) == 1:
        return chain[0].issuer_name == _ASDK_ROOT
    return len(chain) > 1 and linked


# Prints the last certificate of a chain that openssl shows.
_LAST_CERTIFICATE = (
    """awk '/BEGIN CERT/{p=""} {p=p $0 "\\n"} /END CERT/{r=p} END{printf "%s", r}'"""
)


def _trust(case: Case, root: str) -> tuple[Remedy, ...]:
    remedies = [_save_presented_root(case)] if case.chain[-1].self_issued else []
    remedies.append(
        Remedy(
            f"Get {root} from the stamp's operator as PEM, and set under {case.section}: "
            'ca = "/path/to/root.pem"'
        )
    )
    remedies.append(
        Remedy(
            "For az: a bundle of all roots and this one, as REQUESTS_CA_BUNDLE replaces its own",
            'cat "$(python3 -m certifi)" /path/to/root.pem > bundle.pem && '
            'export REQUESTS_CA_BUNDLE="$PWD/bundle.pem"',
            "Get-Content (python -m certifi), C:\\path\\to\\root.pem | Set-Content bundle.pem; "
            '$env:REQUESTS_CA_BUNDLE = "$PWD\\bundle.pem"',
        )
    )
    return tuple(remedies)


def _save_presented_root(case: Case) -> Remedy:
    pinned = case.connection.pinned if case.connection else None
    connect = bash(pinned or f"{case.host}:{case.port}")
    show = f"openssl s_client -showcerts -connect {connect} -servername {bash(case.host)}"
    return Remedy(
        "Save the root that was presented, compare its SHA-256 with what the stamp's operator "
        f'tells you, then set under {case.section}: ca = "/path/to/root.pem"',
        f"{show} </dev/null 2>/dev/null | {_LAST_CERTIFICATE} > root.pem && "
        "openssl x509 -in root.pem -noout -fingerprint -sha256",
    )
