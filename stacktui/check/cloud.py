"""What other clients are given of a target: its cloud, as recorded, else as its stamp says now."""

from __future__ import annotations

from stacktui.azure_cli.presence import az_facts
from stacktui.certificates.export import is_current
from stacktui.check.pinning import AcceptError, ask_stamp, differences
from stacktui.check.target import CheckTarget, config_of
from stacktui.config.locations import own_bundle
from stacktui.environments.cloud import Cloud, cloud_of
from stacktui.environments.profiles import PROFILES
from stacktui.environments.record import read_record
from stacktui.exchange.connection import Connection, Machine
from stacktui.exchange.shells import Shell, shell_of_this_machine
from stacktui.resources.api_versions import RESOURCES, known_version

ACCEPT = "stacktui environments accept"


async def read_cloud(target: CheckTarget) -> Cloud:
    """Return the cloud of a target. A whole record answers without the network, and what a check
    recorded where the stamp does not answer.

    Raises RecordError where the record cannot be read, and AcceptError where there is none and the
    stamp does not answer, or not as it was recorded.
    """
    record = read_record(config_of(target), target.environment)
    if record is not None and record.is_whole:
        return cloud_of(target.environment, record.metadata)
    try:
        diff = await ask_stamp(target)
    except AcceptError:
        if record is None or not record.more:
            raise
        return cloud_of(target.environment, record.metadata)
    if changes := [what for what, _, _ in differences(diff)] if diff.known else []:
        what = ", ".join(changes)
        raise AcceptError(f"the {what} changed since it was recorded; see: {ACCEPT}")
    return cloud_of(target.environment, diff.seen.metadata)


async def connection_to(target: CheckTarget, shell: Shell | None = None) -> Connection:
    """Return what every form is made of, for a shell of this machine. Raises as `read_cloud`."""
    cloud = await read_cloud(target)
    has_own_roots = own_bundle().is_file()
    # The commands may be pasted elsewhere.
    config = target.config and target.config.absolute()
    machine = Machine(
        shell or shell_of_this_machine(),
        az_facts(PROFILES),
        has_own_roots,
        is_current(target.environment),
        config,
    )
    version = known_version(target.environment.profile, RESOURCES) or ""
    return Connection(
        target.environment, cloud, target.identity, machine=machine, api_version=version
    )
