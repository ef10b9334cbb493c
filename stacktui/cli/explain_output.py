"""Write the catalogue, and what a message can mean, as text that fits a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby

from stacktui.cli.layout import out_wrapped
from stacktui.cli.output import out
from stacktui.diagnosis.catalogue_export import shown_remedies, sides
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.finding import Remedy
from stacktui.diagnosis.recognise import Candidate, Recognised

# The best candidate of a message that says little more than "failed" weighs less than this.
_VAGUE = 30
_GAP = 2


def write_catalogue(faults: Sequence[FaultInfo]) -> None:
    """Write every id with its meaning, by group."""
    column = max(len(each.id) for each in faults) + _GAP
    for number, (group, members) in enumerate(groupby(faults, key=lambda each: each.group)):
        if number:
            out()
        out(group)
        for fault in members:
            out_wrapped(f"  {fault.id:<{column}}{fault.meaning}", column + 2)
    out()
    out("For details: stacktui explain ID")


def write_faults(faults: Sequence[FaultInfo]) -> None:
    for number, fault in enumerate(faults):
        if number:
            out()
        _fault(fault)


def write_recognised(found: Recognised) -> None:
    """Write what a message can mean, best first, and the evidence that distinguishes it."""
    candidates = found.candidates
    if not found:
        _nothing()
    elif len(candidates) == 1:
        only = candidates[0]
        out_wrapped(f"It means {only.fault.id}, as it says: {'; '.join(only.because)}.", 2)
        out()
        _fault(candidates[0].fault)
    elif candidates and candidates[0].weight < _VAGUE:
        _vague(candidates)
    elif candidates:
        _several(candidates)
    for number, note in enumerate(found.notes):
        if candidates or number:
            out()
        out_wrapped(note, 0)
    if len(candidates) > 1:
        out()
        out_wrapped("A check reads the evidence that the message lacks, and says which it is:", 0)
        out("  stacktui check")
        out("How to fix each:")
        out(f"  stacktui explain {candidates[0].fault.id}")


def _several(candidates: Sequence[Candidate]) -> None:
    out(f"It can mean {len(candidates)} things, best first.")
    for number, each in enumerate(candidates, 1):
        out()
        head = f"{number}. "
        out_wrapped(f"{head}{each.fault.id} · side: {sides(each.fault)}", len(head))
        out_wrapped(f"{' ' * len(head)}{each.fault.meaning}", len(head))
        _because(each)
        evidence = each.fault.distinguishing_evidence
        out_wrapped(f"{' ' * len(head)}evidence: {evidence}", len(head) + 2)


def _vague(candidates: Sequence[Candidate]) -> None:
    out("It says little more than that something failed. It can mean, among others:")
    column = max(len(each.fault.id) for each in candidates) + _GAP
    for each in candidates:
        out_wrapped(f"  {each.fault.id:<{column}}{each.fault.meaning}", column + 2)


def _because(candidate: Candidate) -> None:
    out_wrapped(f"   it says: {'; '.join(candidate.because)}", 5)


def _nothing() -> None:
    out_wrapped(
        "Nothing in this message is known to the catalogue. That does not mean that nothing is "
        "wrong: it may not be the whole message, or a fault that has no name yet.",
        0,
    )
    out()
    out("What to do")
    out_wrapped("  - Run the check, which needs no message:", 4)
    out("    stacktui check")
    out_wrapped("  - Or give the whole message, with the lines before it:", 4)
    out("    az … 2>&1 | stacktui explain -")


def _fault(fault: FaultInfo) -> None:
    out(f"{fault.id} · {fault.group} · side: {sides(fault)}")
    out_wrapped(f"  {fault.meaning}", 2)
    out("  Distinguishing evidence")
    out_wrapped(f"    {fault.distinguishing_evidence}", 4)
    out("  How to fix it")
    for number, remedy in enumerate(shown_remedies(fault), 1):
        _remedy(number, remedy)
    out("  az says")
    out_wrapped(f"    {fault.az_says}", 4)


def _remedy(number: int, remedy: Remedy) -> None:
    head = f"    {number}. "
    out_wrapped(f"{head}{remedy.title}", len(head))
    # The command for this machine's shell if there is one; the other formats have both.
    commands = [remedy.bash, remedy.powershell]
    if sys.platform == "win32":
        commands.reverse()
    if command := commands[0] or commands[1]:
        out(f"{' ' * len(head)}{command}")
