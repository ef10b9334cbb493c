"""The root that was recorded of a stamp on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.diagnosis.context import ReportContext, described

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate


def recorded_signer(report: ReportContext) -> Certificate | None:
    """Return the recorded root, or what was seen nearest to it; None if nothing readable was."""
    record = report.report.recorded
    signer = described(record.signer) if record is not None and record.signer else None
    return None if signer is None or signer.unreadable else signer


def signers(host: str, now: Certificate, before: Certificate) -> str:
    """Return a neutral text on who signs for `host` now, and who did before."""
    if now.issuer_name == before.issuer_name:
        return f"Another {now.issuer_name} than before signs for {host} now"
    return f"{now.issuer_name} signs for {host} now, and {before.issuer_name} did before"
