"""A check as plain text, written while it runs."""

from __future__ import annotations

import sys

import click

from stacktui.check.events import CheckEvent, CheckFinished, CheckStarted, StepFinished
from stacktui.check.fault_text import fault_summary
from stacktui.check.report import Outcome, Report, Step
from stacktui.check.summary import phase_summary, result_summary, target_summary
from stacktui.diagnosis.finding import SIDES, Diagnosis, Finding, Remedy
from stacktui.text.sanitize import visible

_SYMBOLS = {Outcome.OK: "✓", Outcome.FAILED: "✗", Outcome.SKIPPED: "–"}
_ASCII = {"✓": "+", "✗": "x", "–": "-", "·": "|", "…": "...", "→": "->", "“": '"', "”": '"'}


def say(text: str = "") -> None:
    """Write one line to stdout, now, harmless; in ASCII where stdout can do no more."""
    text = visible(text)
    if not (sys.stdout.encoding or "ascii").lower().startswith("utf"):
        text = "".join(_ASCII.get(char, char) for char in text)
        text = text.encode("ascii", "replace").decode()
    click.echo(text)
    sys.stdout.flush()


class TextWriter:
    """Writes each step as it ends, then the verdict."""

    def write(self, event: CheckEvent) -> None:
        match event:
            case CheckStarted(target=target):
                say(target_summary(target))
            case StepFinished(step=step):
                say(_step_line(step))
            case CheckFinished(report=report):
                say("")
                say(_closing_line(report))

    def write_diagnosis(self, diagnosis: Diagnosis) -> None:
        if diagnosis.verdict is not None:
            self._finding("✗", diagnosis.verdict)
        if diagnosis.besides:
            say("")
            say("Also seen")
        for finding in diagnosis.besides:
            self._finding("!", finding)

    def _finding(self, sign: str, finding: Finding) -> None:
        say("")
        say(f"{sign} {finding.id} · side: {SIDES[finding.side]}")
        say(f"  {finding.title}")
        say("  Why we think so")
        for line in finding.evidence:
            say(f"    - {line}")
        say("  How to mend it")
        for number, remedy in enumerate(finding.remedies, 1):
            self._remedy(number, remedy)
        say(f"  az says: {finding.az_says}")

    def _remedy(self, number: int, remedy: Remedy) -> None:
        say(f"    {number}. {remedy.title}")
        # The shell of this box first; the other one is in the JSON.
        shell = remedy.powershell if sys.platform == "win32" else remedy.bash
        if shell:
            say(f"       {shell}")


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
