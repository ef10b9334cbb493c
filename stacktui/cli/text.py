"""A check as plain text, written while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable

from stacktui.check.events import CheckEvent, CheckFinished, CheckStarted, StepFinished
from stacktui.check.report import Outcome, Report, Step
from stacktui.check.summary import fault_summary, phase_summary, result_summary, target_summary
from stacktui.diagnosis.finding import Diagnosis, Finding, Remedy, Side

_SIDES = {
    Side.BOX: "this box",
    Side.NETWORK: "the network",
    Side.SIGN_IN: "sign-in",
    Side.STAMP: "the stamp",
}
_SYMBOLS = {Outcome.OK: "✓", Outcome.FAILED: "✗", Outcome.SKIPPED: "–"}
_ASCII = {"✓": "+", "✗": "x", "–": "-", "·": "|", "…": "...", "→": "->", "“": '"', "”": '"'}


class TextWriter:
    """Writes each step as it ends, then the verdict. Falls back to ASCII where stdout must."""

    def __init__(self, echo: Callable[[str], object]) -> None:
        self._echo = echo
        self._unicode = (sys.stdout.encoding or "ascii").lower().startswith("utf")

    def write(self, event: CheckEvent) -> None:
        match event:
            case CheckStarted(target=target):
                self._line(target_summary(target))
            case StepFinished(step=step):
                self._line(_step_line(step))
            case CheckFinished(report=report):
                self._line("")
                self._line(_closing_line(report))

    def write_diagnosis(self, diagnosis: Diagnosis) -> None:
        if diagnosis.verdict is not None:
            self._finding(diagnosis.verdict)
        for finding in diagnosis.also_seen:
            self._line("")
            self._line("Also seen")
            self._finding(finding)

    def _finding(self, finding: Finding) -> None:
        self._line("")
        self._line(f"✗ {finding.id} · side: {_SIDES[finding.side]}")
        self._line(f"  {finding.title}")
        self._line("  Why we think so")
        for line in finding.evidence:
            self._line(f"    - {line}")
        self._line("  How to mend it")
        for number, remedy in enumerate(finding.remedies, 1):
            self._remedy(number, remedy)
        self._line(f"  az says: {finding.az_says}")

    def _remedy(self, number: int, remedy: Remedy) -> None:
        self._line(f"    {number}. {remedy.title}")
        # The shell of this box first; the other one is in the JSON.
        shell = remedy.powershell if sys.platform == "win32" else remedy.bash
        if shell:
            self._line(f"       {shell}")

    def _line(self, text: str) -> None:
        if not self._unicode:
            text = "".join(_ASCII.get(char, char) for char in text)
            text = text.encode("ascii", "replace").decode()
        self._echo(text)
        sys.stdout.flush()


def _step_line(step: Step) -> str:
    head = f"{_SYMBOLS[step.outcome]} {step.name.value:<16}"
    evidence = step.evidence
    if step.outcome is Outcome.SKIPPED:
        return f"{head} skipped: {evidence.skipped}"
    time = f"{step.seconds * 1000:6.0f} ms"
    if evidence.fault is not None:
        return f"{head}{time}   {fault_summary(evidence.fault)}"
    found = result_summary(evidence.result) if evidence.result is not None else ""
    return f"{head}{time}   {phase_summary(step.phases)}   {found}".rstrip()


def _closing_line(report: Report) -> str:
    failed = report.failed
    if failed is not None:
        return f"FAULT in the {failed.name.value} step after {report.seconds:.2f} s"
    skipped = [step.name.value for step in report.steps if step.outcome is Outcome.SKIPPED]
    also = f" (skipped: {', '.join(skipped)})" if skipped else ""
    return f"OK in {report.seconds:.2f} s{also}"
