"""What one entry of the catalogue is."""

from __future__ import annotations

from dataclasses import dataclass

from stacktui.diagnosis.fault import FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side


@dataclass(frozen=True, slots=True)
class Entry:
    """A fault of the catalogue, as it is known before it is met.

    `id` is a public name that never changes meaning. `told_by` says what evidence tells the fault
    from its look-alikes, and names their ids in backticks. The commands of `mends` have upper-case
    words where a finding has values: NAME is an environment, HOST the host that was asked.
    `az_says` is what to search for, or what az does where it says nothing.
    """

    id: str
    group: Group
    sides: tuple[Side, ...]
    what: str
    told_by: str
    mends: tuple[Remedy, ...]
    az_says: str


def entry_of(fault: FaultInfo) -> Entry:
    mends = tuple(each.in_catalogue() for each in fault.remedies)
    return Entry(
        fault.id,
        fault.group,
        fault.sides,
        fault.meaning,
        fault.distinguishing_evidence,
        mends,
        fault.az_says,
    )


def same(title: str, command: str) -> Remedy:
    """A mend whose command is the same in bash and in PowerShell."""
    return Remedy(title, command, command)


AGAIN = same("Run the check again", "stacktui check NAME")
EXPORT = same(
    "Then for az: a bundle of certifi's roots and yours, which upgrades leave alone",
    "stacktui certificates export",
)
AROUND_PROXY = Remedy(
    "If no proxy is needed for the stamp, go round it (az reads NO_PROXY too)",
    'export NO_PROXY="HOST${NO_PROXY:+,$NO_PROXY}"',
    "$env:NO_PROXY = (@('HOST', $env:NO_PROXY) -ne $null) -join ','",
)
SET_CLOCK = Remedy(
    "Set this box's clock, if it is the wrong one",
    "timedatectl status; sudo timedatectl set-ntp true",
    "w32tm /query /status; w32tm /resync",
)
# How az begins where it cannot read the metadata.
AZ = "Unable to get endpoints from the cloud. "
AZ_NETWORK = AZ + "Please ensure you have network connection. Error detail: … "

__all__ = [
    "AGAIN", "AROUND_PROXY", "AZ", "AZ_NETWORK", "EXPORT", "SET_CLOCK", "Entry", "Group",
    "entry_of", "same",
]  # fmt: skip
