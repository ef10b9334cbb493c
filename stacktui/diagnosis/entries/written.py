"""Entries as JSON, and as Markdown for documents and tickets."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from stacktui.diagnosis.entries import Entry, look_alikes
from stacktui.diagnosis.finding import SIDES
from stacktui.diagnosis.inert import code, fenced, table

SCHEMA = 1


def sides(entry: Entry) -> str:
    """`this box or the stamp`: whose side the fault can be on."""
    return (
        "any"
        if len(entry.sides) == len(SIDES)
        else " or ".join(map(SIDES.__getitem__, entry.sides))
    )


def entry_document(entry: Entry) -> dict[str, Any]:
    """What `json.dumps` takes; names as in the document of a report."""
    return {
        "id": entry.id,
        "group": entry.group.value,
        "sides": [each.value for each in entry.sides],
        "what": entry.what,
        "told_by": entry.told_by,
        "look_alikes": list(look_alikes(entry)),
        "remedies": [
            {"title": each.title, "bash": each.bash, "powershell": each.powershell}
            for each in entry.mends
        ],
        "az_says": entry.az_says,
    }


def entry_markdown(entry: Entry) -> str:
    """A section of its own; it ends without a line break."""
    lines = [
        f"## {code(entry.id)}, side: {sides(entry)}",
        "",
        entry.what,
        "",
        f"**Told by.** {entry.told_by}",
    ]
    for number, mend in enumerate(entry.mends, 1):
        lines += ["", f"**Mend {number}.** {mend.title}"]
        for language, command in (("bash", mend.bash), ("powershell", mend.powershell)):
            if command:
                lines += ["", *fenced(language, command)]
    return "\n".join([*lines, "", f"What az says: {code(entry.az_says)}"])


def catalogue_table(entries: Iterable[Entry]) -> str:
    """The table of the README: a line an entry, under its group."""
    rows: list[tuple[str, ...]] = []
    for group, members in groupby(entries, key=lambda each: each.group):
        rows.append((f"**{group}**", "", ""))
        rows += map(_row, members)
    return "\n".join(table(("id", "what is true", "side"), rows))


def _row(entry: Entry) -> tuple[str, ...]:
    return code(entry.id), entry.what, sides(entry)
