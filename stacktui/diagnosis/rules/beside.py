"""What fails no check, but should be known before it does: the rules of `BESIDE`.

Apart from the catalogue, since they are asked of healthy checks too, which need no other rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.certificates.chain import Certificate, describe, described_path
from stacktui.certificates.readiness import WARNING_DAYS, Judgement, Level, judge
from stacktui.certificates.verify import NAMES, NO_ISSUER, VerifyCode
from stacktui.diagnosis.catalogue.pinning import ROOT_CHANGED
from stacktui.diagnosis.context import Explained, ReportContext, Rule, rule
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.rules import azure_cli
from stacktui.diagnosis.rules.clocks import clocks_apart, other_clock
from stacktui.diagnosis.rules.interception import interceptor
from stacktui.diagnosis.shell import bash, powershell
from stacktui.transport.facts import ConnectionFacts

if TYPE_CHECKING:
    from stacktui.certificates.additions import LostAddition

_NOTHING = "nothing: it works until the last day"
# What a verdict says of a host's certificate already.
_SAID: dict[int, tuple[str, ...]] = {
    VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT: ("self-signed", "chain"),
    **dict.fromkeys(NO_ISSUER, ("chain",)),
    **dict.fromkeys(NAMES, ("names",)),
    VerifyCode.EE_KEY_TOO_SMALL: ("key-size",),
    VerifyCode.CA_KEY_TOO_SMALL: ("key-size",),
    VerifyCode.CA_MD_TOO_WEAK: ("signature",),
}


# Seconds, a day: a clock that is less off changes no count of days that matters.
_SKEW = 86400.0


def _clocks(scene: ReportContext) -> Iterator[datetime]:
    """This box's, and the stamp's where it says otherwise."""
    yield scene.now
    if there := other_clock(scene, _SKEW):
        yield there


def _own(scene: ReportContext) -> Iterator[ConnectionFacts]:
    """Connections that show the stamp's own chain: a gateway's is no matter of its operator."""
    for connection in scene.presented:
        chain = connection.tls.chain if connection.tls else ()
        if not interceptor(described_path(chain)):
            yield connection


def _soon(scene: ReportContext) -> Iterator[tuple[int, str, Certificate]]:
    """Days left, host and certificate of those that end soon, and have not ended yet.

    By the clock of this box, else by the stamp's: nobody here knows which of them is wrong.
    """
    clocks = tuple(_clocks(scene))
    for connection in _own(scene):
        for der in connection.tls.chain if connection.tls else ():
            certificate = describe(der)
            for clock in clocks:
                left = certificate.days_left(clock)
                if left is not None and 0 <= left < WARNING_DAYS:
                    yield left, connection.host, certificate
                    break


@rule("cert-expires-soon", Side.STAMP, _NOTHING)
def cert_expires_soon(scene: ReportContext) -> Explained | None:
    soon = sorted(_soon(scene), key=lambda each: each[0])
    if not soon:
        return None
    left, host, first = soon[0]
    what = f"The certificate of {host}"
    if first.is_ca:
        what = f"The CA certificate {first.common_name} behind {host}"
    evidence = dict.fromkeys(_ends_line(left, host, each) for left, host, each in soon)
    here, *there = _clocks(scene)
    for other in there:
        evidence[
            f"this box's clock says {here:%Y-%m-%d}, the stamp's {other:%Y-%m-%d}: "
            "one of them is wrong"
        ] = None
    remedies = (
        Remedy("The stamp's operator renews it (secret rotation) before that day"),
        Remedy(
            "See the certificates of all hosts of this stamp",
            scene.command("certificates show --all", bash),
            scene.command("certificates show --all", powershell),
        ),
    )
    return f"{what} ends in {_days(left)}", tuple(evidence), remedies


def _ends_line(left: int, host: str, certificate: Certificate) -> str:
    end = f"{certificate.not_after:%Y-%m-%d %H:%M} UTC" if certificate.not_after else "?"
    return f"{host}: {certificate.common_name} ends {end}, in {_days(left)}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


# The same on this side: the certificate that signs in.
@rule("cert-expires-soon", Side.BOX, _NOTHING)
def own_cert_expires_soon(scene: ReportContext) -> Explained | None:
    identity = scene.identity
    ends = next(
        (end for step in scene.report.steps
         if (end := getattr(step.evidence.result, "certificate_ends", None))), None,
    )  # fmt: skip
    if identity is None or ends is None or (left := (ends - scene.now).days) >= WARNING_DAYS:
        return None
    title = f"The certificate of identity {identity.name} ends in {_days(left)}"
    evidence = (f"{identity.credential}", f"it ends {ends:%Y-%m-%d %H:%M} UTC")
    remedies = (
        Remedy(
            "Make a new certificate, add it to the application beside the old one, and name its "
            "file in the config before that day"
        ),
    )
    return title, evidence, remedies


@rule("cert-readiness", Side.STAMP, _NOTHING)
def cert_readiness(scene: ReportContext) -> Explained | None:
    found = {
        f"{connection.host}: {each.text} ({each.rule})": each
        for connection in _own(scene)
        for each in _rejected(scene, connection)
    }
    if not found:
        return None
    rules = ", ".join(dict.fromkeys(each.rule for each in found.values()))
    title = f"The vendor's readiness checker would reject a certificate of this stamp: {rules}"
    mends = dict.fromkeys(each.mend for each in found.values() if each.mend)
    remedies = [Remedy(f"The stamp's operator: {mend}") for mend in mends]
    remedies.append(
        Remedy("And judges new files with `stacktui certificates lint` before they are deployed")
    )
    return title, tuple(found), tuple(remedies)


def _rejected(scene: ReportContext, connection: ConnectionFacts) -> Iterator[Judgement]:
    tls = connection.tls
    if tls is None:
        return
    said = _SAID.get(tls.verify_code or 0, ())
    trusted = tls.verify_code is None
    # OpenSSL knows more of names than a rule does (addresses, other alphabets).
    names = None if trusted else (connection.host,)
    judgements = judge(tls.chain, scene.now, names=names, trusted=trusted)
    for each in judgements:
        # That one ends soon has a name of its own.
        if each.level is Level.FAIL and each.rule not in (*said, "expiry"):
            yield each


@rule("certifi-addition-lost", Side.BOX, "the same TLS error as before the root was added")
def certifi_addition_lost(scene: ReportContext) -> Explained | None:
    lost = scene.report.lost
    if not lost:
        return None
    title = "A root that was added to another program's trust store is not there any more"
    evidence = tuple(
        f"{each.path}: {each.subject}, SHA-256 {each.sha256}"
        + (" (the file itself is gone)" if each.gone else "")
        for each in lost
    )
    remedies = [
        Remedy(
            "Write a bundle of your own for az and the others: no upgrade touches it",
            f"stacktui certificates export{scene.config_option(bash)}",
            f"stacktui certificates export{scene.config_option(powershell)}",
        )
    ]
    remedies += [
        Remedy(
            f"Or add it to {each.path} again, until the next upgrade",
            f"stacktui certificates trust {each.sha256} --store {bash(str(each.path))}",
            f"stacktui certificates trust {each.sha256} --store {powershell(str(each.path))}",
        )
        for each in lost
        if not each.gone
    ]
    remedies += [
        Remedy(
            f"Or forget it, where {path} is not to have it any more",
            f"stacktui certificates untrust {' '.join(prints)} --store {bash(str(path))}",
            f"stacktui certificates untrust {' '.join(prints)} --store {powershell(str(path))}",
        )
        for path, prints in _prints(lost).items()
    ]
    return title, evidence, tuple(remedies)


def _prints(lost: Iterable[LostAddition]) -> dict[Path, list[str]]:
    """The fingerprints of what was lost, by bundle."""
    found: dict[Path, list[str]] = {}
    for each in lost:
        found.setdefault(each.path, []).append(each.sha256)
    return found


BESIDE: tuple[Rule[ReportContext] | FaultInfo, ...] = (
    cert_expires_soon,
    own_cert_expires_soon,
    cert_readiness,
    ROOT_CHANGED,
    clocks_apart,
    certifi_addition_lost,
    *azure_cli.RULES,
)
