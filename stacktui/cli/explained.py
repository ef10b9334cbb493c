"""The catalogue and what a message can mean, as text that fits a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby

from stacktui.cli.certificates.layout import say_wrapped
from stacktui.cli.text import say
from stacktui.diagnosis.catalogue_export import shown_remedies, sides
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.finding import Remedy
from stacktui.diagnosis.recognise import Candidate, Recognised

# A message that hardly says more than that something failed.
_VAGUE = 30
_GAP = 2


def write_catalogue(faults: Sequence[FaultInfo]) -> None:
    """Every id with its one line, by group."""
    column = max(len(each.id) for each in faults) + _GAP
    for number, (group, members) in enumerate(groupby(faults, key=lambda each: each.group)):
        if number:
            say()
        say(group)
        for fault in members:
            say_wrapped(f"  {fault.id:<{column}}{fault.meaning}", column + 2)
    say()
    say("stacktui explain ID tells more of one.")


def write_faults(faults: Sequence[FaultInfo]) -> None:
    for number, fault in enumerate(faults):
        if number:
            say()
        _fault(fault)


def write_recognised(found: Recognised) -> None:
    """What a message can mean, best first, and what tells it apart."""
    candidates = found.candidates
    if not found:
        _nothing()
    elif len(candidates) == 1:
        only = candidates[0]
        say_wrapped(f"It means {only.fault.id}, as it says: {'; '.join(only.because)}.", 2)
        say()
        _fault(candidates[0].fault)
    elif candidates and candidates[0].weight < _VAGUE:
        _vague(candidates)
    elif candidates:
        _several(candidates)
    for number, note in enumerate(found.notes):
        if candidates or number:
            say()
        say_wrapped(note, 0)
    if len(candidates) > 1:
        say()
        say_wrapped("A check looks at what the message does not hold, and tells them apart:", 0)
        say("  stacktui check")
        say("How to mend each:")
        say(f"  stacktui explain {candidates[0].fault.id}")


def _several(candidates: Sequence[Candidate]) -> None:
    say(f"It can mean {len(candidates)} things, best first.")
    for number, each in enumerate(candidates, 1):
        say()
        head = f"{number}. "
        say_wrapped(f"{head}{each.fault.id} · side: {sides(each.fault)}", len(head))
        say_wrapped(f"{' ' * len(head)}{each.fault.meaning}", len(head))
        _because(each)
        evidence = each.fault.distinguishing_evidence
        say_wrapped(f"{' ' * len(head)}told by: {evidence}", len(head) + 2)


def _vague(candidates: Sequence[Candidate]) -> None:
    say("It says that something failed, and hardly more. It can mean, among others:")
    column = max(len(each.fault.id) for each in candidates) + _GAP
    for each in candidates:
        say_wrapped(f"  {each.fault.id:<{column}}{each.fault.meaning}", column + 2)


def _because(candidate: Candidate) -> None:
    say_wrapped(f"   it says: {'; '.join(candidate.because)}", 5)


def _nothing() -> None:
    say_wrapped(
        "Nothing in this message is known to the catalogue. That does not mean that nothing is "
        "wrong: it may not be the whole message, or a fault that has no name yet.",
        0,
    )
    say()
    say("What to do")
    say_wrapped("  - Run the check: it does not depend on anybody's words.", 4)
    say("    stacktui check")
    say_wrapped("  - Or give the whole message, with the lines before it:", 4)
    say("    az … 2>&1 | stacktui explain -")


def _fault(fault: FaultInfo) -> None:
    say(f"{fault.id} · {fault.group} · side: {sides(fault)}")
    say_wrapped(f"  {fault.meaning}", 2)
    say("  Told by")
    say_wrapped(f"    {fault.distinguishing_evidence}", 4)
    say("  How to mend it")
    for number, mend in enumerate(shown_remedies(fault), 1):
        _mend(number, mend)
    say("  az says")
    say_wrapped(f"    {fault.az_says}", 4)


def _mend(number: int, mend: Remedy) -> None:
    head = f"    {number}. "
    say_wrapped(f"{head}{mend.title}", len(head))
    # The shell of this box first; the other one is in the other formats.
    first, second = (
        (mend.powershell, mend.bash) if sys.platform == "win32" else (mend.bash, mend.powershell)
    )
    if command := first or second:
        say(f"{' ' * len(head)}{command}")
