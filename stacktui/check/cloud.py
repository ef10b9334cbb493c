"""The cloud of a target, as it was recorded, else as its stamp says now."""

from __future__ import annotations

from stacktui.check.pinning import AcceptError, ask_stamp, differences
from stacktui.check.target import CheckTarget, config_of
from stacktui.environments.cloud import Cloud, cloud_of
from stacktui.environments.record import read_record

ACCEPT = "stacktui environments accept"


async def read_cloud(target: CheckTarget) -> Cloud:
    """Return the cloud of a target. A whole record answers without the network.

    Raises RecordError where the record cannot be read, and AcceptError where there is no whole one
    and the stamp does not answer, or not as it was recorded.
    """
    record = read_record(config_of(target), target.environment)
    if record is None or not record.more:
        diff = await ask_stamp(target)
        record = diff.seen
        if changes := [what for what, _, _ in differences(diff)] if diff.known else []:
            what = ", ".join(changes)
            raise AcceptError(f"the {what} changed since it was recorded; see: {ACCEPT}")
    return cloud_of(target.environment, record.metadata)
