"""Trusted certificates that are for other names than the one that was asked."""

from __future__ import annotations

from stacktui.certificates.verify import NAMES, VerifyCode
from stacktui.diagnosis.context import Explained, FailureContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import set_value
from stacktui.diagnosis.words import names_line
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT

_AZ = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by SSLError(SSLCertVerificationError(1, "
)


@rule("tls-name-mismatch", Side.STAMP, _AZ + '"… Hostname mismatch, certificate is not valid …")))')
def tls_name_mismatch(case: FailureContext) -> Explained | None:
    return None if _asked_wrongly(case) else _other_names(case)


# The same where the name that was asked is none of a stamp's, and the right one is offered.
@rule("tls-name-mismatch", Side.BOX, _AZ + '"… Hostname mismatch, certificate is not valid …")))')
def tls_name_mistaken(case: FailureContext) -> Explained | None:
    return _other_names(case) if _asked_wrongly(case) else None


def _asked_wrongly(case: FailureContext) -> bool:
    """Whether ARM was asked by its address, or by a name beside its own in the same domain."""
    names = case.presented_chain[0].names if case.presented_chain else ()
    label, _, domain = case.host.partition(".")
    own = {f"{each}.{domain}" for each in (USER_ENDPOINT, OPERATOR_ENDPOINT)}
    by_address = case.verify_code == VerifyCode.IP_ADDRESS_MISMATCH
    beside = label not in (USER_ENDPOINT, OPERATOR_ENDPOINT) and bool(own & set(names))
    return case.at_arm and (beside or (by_address and _nearest(case.host, names) is not None))


def _other_names(case: FailureContext) -> Explained | None:
    tls = case.connection.tls if case.connection else None
    # OpenSSL looks at the name first. Whose certificate it is only the rest of it tells.
    if case.verify_code not in NAMES or tls is None or tls.code_but_name != 0:
        return None
    names = case.presented_chain[0].names if case.presented_chain else ()
    evidence = (
        f"asked for: {case.host}",
        f"the certificate is for: {names_line(names)}",
        "apart from its name it is trusted here",
    )
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
