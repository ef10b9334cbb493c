"""What differs from the stamp as it was when it was first found well."""

from __future__ import annotations

from dataclasses import dataclass

from stacktui.certificates.chain import Certificate, describe
from stacktui.diagnosis.case import Case, Explained, Rule, Scene, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import accept
from stacktui.diagnosis.words import drift_lines, request_line
from stacktui.environments.record import DriftFault


@dataclass(frozen=True, slots=True)
class Anchor:
    """Who signs at the top of a chain. `sha256` only where the root itself was presented."""

    name: str
    issuer: str
    sha256: str = ""

    def is_other(self, now: Anchor) -> bool:
        """Whether another root signs `now`. Roots of one name differ only if both were seen."""
        if self.issuer != now.issuer:
            return True
        return bool(self.sha256 and now.sha256 and self.sha256 != now.sha256)

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256})" if self.sha256 else self.name


def anchor_of(top: Certificate) -> Anchor | None:
    """Of the certificate that was presented last; None where it cannot be read."""
    if top.unreadable:
        return None
    return Anchor(top.issuer_name, top.issuer, top.sha256 if top.self_issued else "")


def recorded_anchor(scene: Scene) -> Anchor | None:
    """Who signed for ARM when the stamp was first found well."""
    record = scene.report.recorded
    return anchor_of(describe(record.top)) if record is not None and record.top else None


@rule(
    "metadata-drift",
    Side.NETWORK,
    "nothing: it sends the secret to wherever the metadata points",
)
def metadata_drift(case: Case) -> Explained | None:
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


@rule("root-changed", Side.NETWORK, "nothing: it trusts whatever its store trusts")
def root_changed(scene: Scene) -> Explained | None:
    record, arm = scene.report.recorded, scene.arm_connection
    if record is None or arm is None or arm.tls is None or not arm.tls.chain:
        return None
    # Only trusted chains: what is wrong with another is the verdict's to tell.
    if arm.tls.verify_code or arm.tls.looked or arm.tls.chain[-1] == record.top:
        return None
    before, now = recorded_anchor(scene), anchor_of(describe(arm.tls.chain[-1]))
    if before is None or now is None or not before.is_other(now):
        return None
    evidence = (
        f"recorded {record.recorded:%Y-%m-%d}: {before}",
        f"now: {now}",
        "this box trusts both, so the check went on",
    )
    remedies = (
        accept(scene, f"If {now.name} is meant to sign for {arm.host}, accept it"),
        Remedy(
            "If not, a proxy that opens TLS stands between: ask the network's team, and take its "
            "root out of the stores of this box (stacktui certificates matrix shows which)"
        ),
    )
    return f"Another root than before signs for {arm.host}", evidence, remedies


RULES: tuple[Rule[Case], ...] = (metadata_drift,)
