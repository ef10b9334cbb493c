"""What differs from the stamp as it was when it was first found well."""

from __future__ import annotations

from stacktui.certificates.chain import Certificate, describe, described_path
from stacktui.diagnosis.context import Explained, FailureContext, ReportContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import accept
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import drift_lines, request_line
from stacktui.environments.record import DriftFault, RecordError, RecordFault


def recorded_top(scene: ReportContext) -> Certificate | None:
    """The end of ARM's chain when the stamp was first found well; None if it cannot be read."""
    record = scene.report.recorded
    top = describe(record.top) if record is not None and record.top else None
    return None if top is None or top.unreadable else top


def is_of_other_root(path: tuple[Certificate, ...], before: Certificate) -> bool:
    """Whether `path` (leaf first) leads to another root than a chain that ended in `before` did.

    Two roots can be compared. Else servers have sent chains of one CA to different heights: where
    a name of the one is in the other, they may well have the same root.
    """
    now = path[-1]
    if now.unreadable:
        return False
    if before.self_issued and now.self_issued:
        return before.sha256 != now.sha256
    if before.self_issued and not now.is_ca:
        return False  # the CA that signed a lone leaf may well be below that root
    names = {name for each in path for name in (each.subject, each.issuer)}
    return before.issuer not in names and before.subject != now.issuer


def signers(host: str, now: Certificate, before: Certificate) -> str:
    """Who signs at the top now, and who did: what is known, without a judgement."""
    if now.issuer_name == before.issuer_name:
        return f"Another {now.issuer_name} than before signs for {host} now"
    return f"{now.issuer_name} signs for {host} now, and {before.issuer_name} did before"


def _signer(top: Certificate) -> str:
    """With the SHA-256 where it is the root itself."""
    return f"{top.issuer_name} ({top.sha256})" if top.self_issued else top.issuer_name


@rule(
    "metadata-drift",
    Side.NETWORK,
    "nothing: it sends the secret to wherever the metadata points",
)
def metadata_drift(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, DriftFault):
        return None
    what = " and ".join(each.field for each in fault.drifts)
    evidence = [*drift_lines(fault), "no secret was sent"]
    if case.last:
        evidence.append(request_line(case.last))
    remedies = (
        Remedy(
            "Ask the stamp's operator whether this was changed on purpose. If nobody knows of it, "
            "somebody on the way, or on the stamp, would collect secrets"
        ),
        accept(case, f"If it was: accept the {what} that the stamp names now"),
    )
    return f"The stamp names another {what} than before", tuple(evidence), remedies


@rule("record-unreadable", Side.BOX, "nothing: it remembers no stamp")
def record_unreadable(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, RecordFault):
        return None
    evidence = (str(RecordError(fault)), "no secret was sent: nobody knows where it went before")
    path, aside = str(fault.path), f"{fault.path}.unreadable"
    anew = "environments accept"
    remedies = (
        Remedy(
            "Put it right if you can, or go back to the stacktui that wrote it: then nothing "
            "that was recorded is lost"
        ),
        Remedy(
            "Else move it away, which forgets every stamp, and record this one anew after a look "
            "at what it says",
            f"mv -- {bash(path)} {bash(aside)} && {case.command(anew, bash)}",
            f"Move-Item -Force -ErrorAction Stop -LiteralPath {powershell(path)} "
            f"-Destination {powershell(aside)}; {case.command(anew, powershell)}",
        ),
    )
    return "What was recorded of the stamps cannot be read", evidence, remedies


@rule("root-changed", Side.NETWORK, "nothing: it trusts whatever its store trusts")
def root_changed(scene: ReportContext) -> Explained | None:
    record, arm = scene.report.recorded, scene.arm_connection
    if record is None or arm is None or arm.tls is None or not arm.tls.chain:
        return None
    # Only trusted chains: what is wrong with another is the verdict's to tell.
    if arm.tls.verify_code or arm.tls.looked:
        return None
    before, path = recorded_top(scene), described_path(arm.tls.chain)
    if before is None or not is_of_other_root(path, before):
        return None
    now = path[-1]
    evidence = (
        f"recorded {record.recorded:%Y-%m-%d}: {_signer(before)}",
        f"now: {_signer(now)}",
        "this box trusts both, so the check went on",
    )
    remedies = (
        accept(scene, f"If {now.issuer_name} is meant to sign for {arm.host}, accept it"),
        Remedy(
            "If not, a proxy that opens TLS stands between: ask the network's team, and take its "
            "root out of the stores of this box (stacktui certificates matrix shows which)"
        ),
    )
    return signers(arm.host, now, before), evidence, remedies


RULES: tuple[Rule[FailureContext], ...] = (metadata_drift, record_unreadable)
