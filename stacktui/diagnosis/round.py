"""What came of the checks of a round, and the faults that several of them share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stacktui.check.report import Report
from stacktui.check.streak import Since
from stacktui.diagnosis.finding import Diagnosis, Finding, Side

_WHOSE = {
    Side.BOX: "it is this machine, not the stamps",
    Side.NETWORK: "it is the network between here and there, not the stamps",
    Side.SIGN_IN: "it is the sign-in service or the account, not the stamps",
}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check of a round.

    `error` says in one line why there is none, `brief` the same without the config's path;
    `unusable` if the settings are the reason, else it is a defect of ours.
    """

    name: str
    report: Report | None = None
    diagnosis: Diagnosis | None = None
    since: Since | None = None
    error: str = ""
    unusable: bool = False
    brief: str = ""

    @property
    def ok(self) -> bool | None:
        """None where the check is undecided."""
        if self.report is None:
            return False
        return self.report.ok if self.report.conclusive else None

    @property
    def verdict(self) -> Finding | None:
        return self.diagnosis.verdict if self.diagnosis else None

    @property
    def skipped(self) -> str:
        """Why a step did not run, if so."""
        steps = self.report.steps if self.report else ()
        return next((each.evidence.skipped for each in steps if each.evidence.skipped), "")

    @property
    def metadata_only(self) -> bool:
        return self.report is not None and self.report.metadata_only


@dataclass(frozen=True, slots=True)
class SharedVerdict:
    """One verdict, and the environments that have it, in the order of the round."""

    finding: Finding
    names: tuple[str, ...]

    def title(self, total: int) -> str:
        """`tls-untrusted-root on 14 of 20: it is this machine, not the stamps`."""
        head = f"{self.finding.id} on {len(self.names)} of {total}"
        whose = _WHOSE.get(self.finding.side)
        return f"{head}: {whose}" if whose and len(self.names) > 1 else head


def shared_verdicts(results: Iterable[CheckResult]) -> tuple[SharedVerdict, ...]:
    """Return the verdicts with those who have them, the most frequent first.

    Verdicts are the same where fault and side are.
    """
    found: dict[tuple[str, Side], tuple[Finding, list[str]]] = {}
    for result in results:
        if (verdict := result.verdict) is not None:
            _, names = found.setdefault((verdict.id, verdict.side), (verdict, []))
            names.append(result.name)
    shared = [SharedVerdict(finding, tuple(names)) for finding, names in found.values()]
    return tuple(sorted(shared, key=lambda each: -len(each.names)))
