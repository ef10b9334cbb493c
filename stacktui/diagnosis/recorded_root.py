"""Compare a chain's root with the one that was recorded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.diagnosis.context import ReportContext, described

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate


def recorded_path_end(report: ReportContext) -> Certificate | None:
    """Return the recorded end of ARM's chain; None if there is none or it is unreadable."""
    record = report.report.recorded
    end = described(record.path_end) if record is not None and record.path_end else None
    return None if end is None or end.unreadable else end


def is_of_other_root(path: tuple[Certificate, ...], before: Certificate) -> bool:
    """Return whether `path` (leaf first) leads to another root than a chain ending in `before`.

    Two roots are compared directly. Else servers may have sent chains of different lengths: if
    they share a name, they may have the same root.
    """
    now = path[-1]
    if now.unreadable:
        return False
    if before.self_issued and now.self_issued:
        return before.sha256 != now.sha256
    if before.self_issued and not now.is_ca:
        return False  # the CA that signed a lone leaf may be below that root
    names = {name for each in path for name in (each.subject, each.issuer)}
    return before.issuer not in names and before.subject != now.issuer


def signers(host: str, now: Certificate, before: Certificate) -> str:
    """Return a neutral text on who signs for `host` now, and who did before."""
    if now.issuer_name == before.issuer_name:
        return f"Another {now.issuer_name} than before signs for {host} now"
    return f"{now.issuer_name} signs for {host} now, and {before.issuer_name} did before"
