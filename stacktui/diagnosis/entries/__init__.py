"""The catalogue as data: one entry for every id of FAULTS.md, known before a fault is met.

The rules judge a check by its evidence; these entries explain an id to a reader. Light to import:
`stacktui explain` must answer at once, and on a box where nothing else works.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from stacktui.diagnosis.entries.beside import BESIDE, OTHER
from stacktui.diagnosis.entries.metadata import METADATA
from stacktui.diagnosis.entries.model import Entry, Group
from stacktui.diagnosis.entries.reach import REACH
from stacktui.diagnosis.entries.resources import RESOURCES
from stacktui.diagnosis.entries.tls import TLS
from stacktui.diagnosis.entries.token import TOKEN
from stacktui.diagnosis.entries.users import USERS

ALL: tuple[Entry, ...] = (
    *REACH,
    *TLS,
    *METADATA,
    *TOKEN,
    *USERS,
    *RESOURCES,
    *BESIDE,
    *OTHER,
)
# By id, in the order of the groups.
ENTRIES: Mapping[str, Entry] = {entry.id: entry for entry in ALL}
_NAMED = re.compile(r"`([a-z]+(?:-[a-z0-9]+)*)`")


def look_alikes(entry: Entry) -> tuple[str, ...]:
    """The ids that `entry` tells itself from, in the order in which it names them."""
    named = dict.fromkeys(_NAMED.findall(entry.told_by))
    return tuple(id_ for id_ in named if id_ in ENTRIES)


__all__ = ["ENTRIES", "Entry", "Group", "look_alikes"]
