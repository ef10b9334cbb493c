"""The catalogue as JSON, and as Markdown for documents and tickets."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from stacktui.diagnosis.catalogue.every_fault import look_alikes
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.finding import SIDES, Remedy
from stacktui.text.markdown_escape import code, fenced, table

SCHEMA = 1


def sides(fault: FaultInfo) -> str:
    """Return the labels of the sides that the fault can be on: `this box or the stamp`."""
    return (
        "any"
        if len(fault.sides) == len(SIDES)
        else " or ".join(map(SIDES.__getitem__, fault.sides))
    )


def shown_remedies(fault: FaultInfo) -> tuple[Remedy, ...]:
    """Return the fault's remedies with example values in place of a finding's."""
    return tuple(each.in_catalogue() for each in fault.remedies)


def fault_document(fault: FaultInfo) -> dict[str, Any]:
    """Return the fault as a JSON-serialisable dict, with the key names of a report's document."""
    return {
        "id": fault.id,
        "group": fault.group.value,
        "sides": [each.value for each in fault.sides],
        "what": fault.meaning,
        "told_by": fault.distinguishing_evidence,
        "look_alikes": list(look_alikes(fault)),
        "remedies": [
            {"title": each.title, "bash": each.bash, "powershell": each.powershell}
            for each in shown_remedies(fault)
        ],
        "az_says": fault.az_says,
    }


def fault_markdown(fault: FaultInfo) -> str:
    """Return the fault as a Markdown section, without a trailing line break."""
    lines = [
        f"## {code(fault.id)}, side: {sides(fault)}",
        "",
        fault.meaning,
        "",
        f"**Distinguished by.** {fault.distinguishing_evidence}",
    ]
    for number, remedy in enumerate(shown_remedies(fault), 1):
        lines += ["", f"**Fix {number}.** {remedy.title}"]
        for language, command in (("bash", remedy.bash), ("powershell", remedy.powershell)):
            if command:
                lines += ["", *fenced(language, command)]
    return "\n".join([*lines, "", f"What az says: {code(fault.az_says)}"])


def catalogue_table(faults: Iterable[FaultInfo]) -> str:
    """Return the README's table: one row per fault, grouped."""
    rows: list[tuple[str, ...]] = []
    for group, members in groupby(faults, key=lambda each: each.group):
        rows.append((f"**{group}**", "", ""))
        rows += map(_row, members)
    return "\n".join(table(("id", "what is true", "side"), rows))


def _row(fault: FaultInfo) -> tuple[str, ...]:
    return code(fault.id), fault.meaning, sides(fault)
