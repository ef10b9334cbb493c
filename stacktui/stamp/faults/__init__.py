"""The fault table: what `--fault ID` makes the stamp do. Ids and meanings are those of FAULTS.md.

One entry a fault, data only; `Fault` lists what an entry can change. Services return real errors
wherever they can: a wrong secret is refused because the directory holds another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stacktui.stamp.faults import metadata, resources, sign_in, transport
from stacktui.stamp.faults.model import Fault

FAULTS: Mapping[str, Fault] = MappingProxyType(
    transport.FAULTS | metadata.FAULTS | sign_in.FAULTS | resources.FAULTS
)
"""Every fault that the stamp can play, by its id."""
