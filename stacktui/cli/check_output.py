"""Write a check as plain text while it runs."""

from __future__ import annotations

import sys

from stacktui.check.events import CheckEvent, CheckFinished, CheckStarted, StepFinished
from stacktui.check.fault_text import fault_summary
from stacktui.check.report import Report, StepOutcome, StepResult
from stacktui.check.summary import METADATA_ONLY
from stacktui.check.summary_text import result_summary, target_summary, time_summary
from stacktui.cli.layout import out_fitting as out
from stacktui.cli.output import out as out_whole
from stacktui.diagnosis.finding import SIDES, Diagnosis, Finding, Remedy

_SYMBOLS = {StepOutcome.OK: "✓", StepOutcome.FAILED: "✗", StepOutcome.SKIPPED: "–"}


# It has the times, the request ids and the chains.
_REPORT = "stacktui check --format markdown"


class TextWriter:
    """Writes each step as it ends, then the verdict."""

    def write(self, event: CheckEvent, diagnosis: Diagnosis | None = None) -> None:
        """Write what the event adds; `diagnosis` is that of a finished check."""
        match event:
            case CheckStarted(target=target):
                out(target_summary(target))
            case StepFinished(step=step):
                out(_step_line(step))
            case CheckFinished(report=report):
                out("")
                out(_closing_line(report, diagnosis.az_line if diagnosis else ""))

    def write_diagnosis(self, diagnosis: Diagnosis, since: str = "") -> None:
        """Write the verdict and what was also seen; `since` is since when the outcome is so."""
        if diagnosis.verdict is not None:
            self.write_finding("✗", diagnosis.verdict, since)
        elif since:
            out(f"so {since}")
        if diagnosis.also_seen_distinct:
            out("")
            out("Also seen")
        for finding in diagnosis.also_seen_distinct:
            self.write_finding("!", finding)
        for number, (client, findings) in enumerate(diagnosis.of_az_alone):
            out("")
            said = f"az {client.version or '?'} ({client.path}) would fail"
            # Most fail alike: those after the first are named, and the JSON has them in full.
            out(f"{said}: {client.summary}" if number else said)
            for finding in findings if not number else ():
                self.write_finding("!", finding)

    def write_finding(self, sign: str, finding: Finding, since: str = "") -> None:
        out("")
        out(f"{sign} {finding.id} · side: {SIDES[finding.side]}")
        out(f"  {finding.title}")
        if since:
            out(f"  so {since}")
        out("  How to fix it")
        for number, remedy in enumerate(finding.remedies, 1):
            self._remedy(number, remedy)
        if finding.owner:
            out(f"  To act: {finding.owner}. Send them the report: {_REPORT}")
        out("  Why we think so")
        for line in finding.evidence:
            out(f"    - {line}")
        out(f"  az says: {finding.az_says}")

    def _remedy(self, number: int, remedy: Remedy) -> None:
        out(f"    {number}. {remedy.title}")
        # The command for this machine's shell; the JSON has both.
        shell = remedy.powershell if sys.platform == "win32" else remedy.bash
        if shell:
            out_whole(f"       {shell}")


def _step_line(step: StepResult) -> str:
    head = f"{_SYMBOLS[step.outcome]} {step.name:<16}"
    evidence = step.evidence
    if step.outcome is StepOutcome.SKIPPED:
        return f"{head} skipped: {evidence.skipped}"
    time = f"{step.seconds * 1000:6.0f} ms"
    found = result_summary(evidence.result) if evidence.result is not None else ""
    if evidence.fault is not None:
        failed = fault_summary(evidence.fault)
        return f"{head}{time}   {failed}{f'; {found}' if found else ''}"
    return f"{head}{time}   {time_summary(step)}   {found}".rstrip()


def _closing_line(report: Report, az: str) -> str:
    failed = report.failed
    if failed is not None:
        line = f"FAULT in the {failed.name} step after {report.seconds:.2f} s"
        return f"{line} · {az}" if az else line
    skipped = [step.name for step in report.steps if step.outcome is StepOutcome.SKIPPED]
    also = f" (skipped: {', '.join(skipped)})" if skipped else ""
    if report.metadata_only:
        return f"{METADATA_ONLY}{f' · {az}' if az else ''}, in {report.seconds:.2f} s{also}"
    if az:
        return f"OK for stacktui · {az}, in {report.seconds:.2f} s{also}"
    return f"OK in {report.seconds:.2f} s{also}"
