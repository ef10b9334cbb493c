"""Trusted certificates that do not have the requested host name."""

from __future__ import annotations

from stacktui.certificates.verify import DATES, NAMES
from stacktui.diagnosis.az_messages import AZ_VERIFY
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.formatting import names_line, route_lines
from stacktui.diagnosis.interceptors import why_intercepted
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.tls import NOT_TRUSTED
from stacktui.diagnosis.remedies import fill_setting, setting
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.environments.naming import OPERATOR_ENDPOINT, USER_ENDPOINT
from stacktui.transport.host import is_address

_SET_NAME = setting("If {nearest} is meant, set it", "arm", "https://HOST", nearest="another name")
_ISSUE = RemedyTemplate("Else the stamp's operator issues a certificate that names {host}")


def _name_mismatch(failure: FailureContext) -> Explanation | None:
    tls = failure.connection.tls if failure.connection else None
    # OpenSSL checks the name first; the rest of the chain shows whose certificate it is.
    if failure.verify_code not in NAMES or tls is None or tls.verify_code_ignoring_name != 0:
        return None
    return _explanation(failure, "apart from its name it is trusted here", rename=True)


def _also_name_mismatch(failure: FailureContext) -> Explanation | None:
    """Explain a wrong name besides another fault of the chain."""
    if failure.verify_code is None or not failure.is_for_another_name:
        return None
    if why_intercepted(failure):
        return None  # whose certificate it is, the verdict says
    # Only a signature proves that the stamp offers this name.
    signed = failure.verify_code in DATES
    besides = "its name is wrong besides: with the other fault corrected it is still refused"
    return _explanation(failure, besides, rename=signed)


def _explanation(failure: FailureContext, line: str, *, rename: bool) -> Explanation:
    names = failure.presented_chain[0].names if failure.presented_chain else ()
    shown = failure.presented_chain[0].shown_names if failure.presented_chain else ()
    evidence = (
        f"asked for: {failure.host}",
        f"the certificate is for: {names_line(shown)}",
        line,
        *route_lines(failure),
    )
    remedies = []
    if rename and failure.at_arm and (nearest := _nearest(failure.host, names)):
        url = f"https://{nearest}" + (f":{failure.port}" if failure.port != 443 else "")
        remedies.append(fill_setting(_SET_NAME, failure, "arm", url, nearest=nearest))
    remedies.append(_ISSUE.fill(host=failure.host))
    title = f"The certificate is not for {failure.host}"
    side = Side.BOX if _is_wrong_name(failure, names) else Side.STAMP
    return Explanation(title, evidence, tuple(remedies), side)


def _is_wrong_name(failure: FailureContext, names: tuple[str, ...]) -> bool:
    """Return whether `arm` is an address, or another name in the domain of the certificate, or
    that domain alone."""
    label, _, domain = failure.host.partition(".")
    domains = (domain, failure.host)
    own = {f"{each}.{of}" for each in (USER_ENDPOINT, OPERATOR_ENDPOINT) for of in domains}
    by_address = is_address(failure.host)
    beside = label not in (USER_ENDPOINT, OPERATOR_ENDPOINT) and bool(own & set(names))
    return failure.at_arm and (beside or (by_address and _nearest(failure.host, names) is not None))


def _nearest(host: str, names: tuple[str, ...]) -> str | None:
    """Return the certificate's name that may have been meant: ARM's, or of the same domain."""

    def shared(name: str) -> int:
        pairs = zip(
            reversed(host.lower().split(".")), reversed(name.lower().split(".")), strict=False
        )
        return sum(1 for ours, theirs in pairs if ours == theirs)

    arm = (USER_ENDPOINT, OPERATOR_ENDPOINT)
    likely = [name for name in names if name.partition(".")[0] in arm or shared(name) >= 2]
    plain = [name for name in likely if not name.startswith("*")]
    return max(plain, key=shared, default=None)


TLS_NAME_MISMATCH = FaultInfo(
    id="tls-name-mismatch",
    group=Group.TLS,
    sides=(Side.BOX, Side.STAMP),
    meaning="The certificate is for other names than the one that was asked.",
    distinguishing_evidence=(
        "The report has both: the name asked, and the names offered; the nearest one may have "
        "been meant. Where something else is wrong with the chain too, as in "
        "`tls-untrusted-root`, that is the verdict, and the name is seen besides. A portal's or "
        "vault's name leads to `metadata-wrong-url`."
    ),
    az_says=AZ_VERIFY + '"… Hostname mismatch, certificate is not valid …")))',
    patterns={
        MessagePattern(
            "the certificate has another name",
            r"hostname mismatch|ip address mismatch|err_tls_cert_altname_invalid"
            r"|remotecertificatenamemismatch|no alternative certificate subject name"
            r"|certificate is (?:not )?valid for|cert_e_cn_no_match|0x800b010f"
            r"|doesn.t match either of|verify error:num=6[24]\b"
            r"|does not match (?:target host|the host|requested host|target|the expected)"
            r"|sec_e_wrong_principal|0x80090322|target principal name is incorrect"
            r"|only valid for(?: the following names)?:|security certificate is from"
            r"|relies on legacy common name|contain any ip sans|not valid for any names"
            r"|doesn't match certificate|not in the cert's altnames|no name matching"
            r"|no subject alternative (?:dns )?names?|common name .{1,90}doesn't match"
            r"|no certificate subject alternative name matches|notvalidforname"
            r"|err_cert_common_name_invalid|bad_cert_domain"
            r"|hostname .{1,90} (?:doesn't match|not verified)|does not match hostname"
            r"|certificate for <.{1,90} doesn't match|0x80072f06",
        ): 92,
        NOT_TRUSTED: 28,
    },
    remedies=(_SET_NAME, _ISSUE),
    rules=(_name_mismatch,),
    beside_rules=(_also_name_mismatch,),
)
