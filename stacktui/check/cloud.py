"""The cloud of a target, as it was recorded, else as its stamp says now."""

from __future__ import annotations

from stacktui.check.pinning import AcceptError, ask_stamp, differences
from stacktui.check.target import CheckTarget, config_of
from stacktui.environments.cloud import Cloud, cloud_of
from stacktui.environments.record import read_record

ACCEPT = "stacktui environments accept"


def recorded_cloud(target: CheckTarget) -> Cloud | None:
    """Return the cloud as it was recorded, None where no whole record is. Blocks on disk.

    Raises RecordError where the record cannot be read.
    """
    record = read_record(config_of(target), target.environment)
    return cloud_of(target.environment, record.metadata) if record and record.more else None


async def read_cloud(target: CheckTarget) -> Cloud:
    """Return the cloud of a target. A whole record answers without the network.

    Raises RecordError where the record cannot be read, and AcceptError where there is no whole one
    and the stamp does not answer, or not as it was recorded.
    """
    if (cloud := recorded_cloud(target)) is not None:
        return cloud
    diff = await ask_stamp(target)
    if changes := [what for what, _, _ in differences(diff)] if diff.known else []:
        what = ", ".join(changes)
        raise AcceptError(f"the {what} changed since it was recorded; see: {ACCEPT}")
    return cloud_of(target.environment, diff.seen.metadata)
