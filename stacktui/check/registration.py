"""The use case "register an environment by its URL", which the command and the form share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from stacktui.certificates.ca_file import CaFile, import_ca_file
from stacktui.check.pinning import AcceptError, RecordDiff, ask_stamp, differences
from stacktui.check.settings import Settings, require_identity
from stacktui.check.target import CheckTarget, config_of
from stacktui.config.document import ConfigError, Table
from stacktui.config.edit import ENVIRONMENTS, IDENTITIES, set_in_table
from stacktui.environments.cloud import Cloud, cloud_of
from stacktui.environments.config import add_environment, read_environment
from stacktui.environments.metadata import IdentityProvider, MetadataFault
from stacktui.environments.naming import other_audience
from stacktui.environments.pasted_url import with_service
from stacktui.environments.record import write_record
from stacktui.identities.model import IdentityKind
from stacktui.transport.records import TransportFault, TransportFaultKind

# Seconds for which a stamp's other endpoint is waited for, which is an offer only.
_PATIENCE = 5.0
_UNREACHED = (TransportFaultKind.TLS_VERIFY, TransportFaultKind.TLS_NOT_TLS)


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a stamp says of itself before anyone signs in.

    `sibling` is the ARM URL of the operators' endpoint beside the users', or the other way round,
    where it answers too; else empty.
    """

    target: CheckTarget
    cloud: Cloud
    diff: RecordDiff
    sibling: str = ""

    @property
    def changes(self) -> tuple[tuple[str, str, str], ...]:
        """What differs from an earlier record of the same name and endpoint."""
        return tuple(differences(self.diff)) if self.diff.known is not None else ()

    @property
    def missing_tenant(self) -> str:
        """The stamp's tenant, where the identity needs one and has none; else empty."""
        identity, cloud = self.target.identity, self.cloud
        is_entra = cloud.identity_provider is IdentityProvider.ENTRA
        if identity is None or identity.tenant or not is_entra or cloud.tenant == "common":
            return ""
        return cloud.tenant if identity.kind is IdentityKind.SERVICE_PRINCIPAL else ""

    @property
    def signing_in(self) -> CheckTarget:
        """The target, its identity with the tenant that it misses."""
        identity = self.target.identity
        if identity is None or not self.missing_tenant:
            return self.target
        return replace(self.target, identity=replace(identity, tenant=self.missing_tenant))


def planned(
    settings: Settings,
    name: str,
    values: Mapping[str, object],
    limits: Mapping[str, float] | None = None,
) -> CheckTarget:
    """Return the target of an environment that is to be added with these values of its table.

    Raises ConfigError where the config would not take it.
    """
    place = f"{ENVIRONMENTS}.{name}"
    if name in settings.names:
        raise ConfigError(settings.path, f"{place} is already there; choose another name")
    environment = read_environment(name, Table(settings.path, place, values), limits)
    require_identity(settings.path, environment, settings.identities, settings.identity_errors)
    identity = settings.identities.get(environment.identity or "")
    return CheckTarget(environment, identity, settings.named)


def same_endpoint(settings: Settings, arm: str) -> tuple[str, ...]:
    """Return the environments that have this ARM URL already."""
    return tuple(name for name, each in settings.environments.items() if each.arm == arm)


async def discover(target: CheckTarget) -> Discovery:
    """Ask a stamp for its metadata, and whether its other endpoint answers.

    Verified, and without a secret. Raises AcceptError.
    """
    sibling = asyncio.create_task(_sibling(target))
    try:
        diff = await ask_stamp(target)
    except AcceptError:
        sibling.cancel()
        raise
    cloud = cloud_of(target.environment, diff.seen.metadata)
    return Discovery(target, cloud, diff, await sibling)


async def _sibling(target: CheckTarget) -> str:
    other = other_audience(target.environment.arm)
    return other if other and await answers(target, other) else ""


async def answers(target: CheckTarget, arm: str) -> bool:
    """Return whether the metadata of another ARM URL can be read, with the target's settings."""
    moved = replace(target, environment=replace(target.environment, arm=arm))
    with suppress(AcceptError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await ask_stamp(moved)
        return True
    return False


def forgotten_service(arm: str, error: AcceptError) -> str:
    """Return the ARM URL that may have been meant by one that has no ARM; else empty.

    Not where the host presents a certificate that is not trusted: it may be ARM all the same.
    """
    fault = error.fault
    unreached = isinstance(fault, TransportFault) and fault.kind not in _UNREACHED
    return with_service(arm) if unreached or isinstance(fault, MetadataFault) else ""


def is_untrusted(error: AcceptError) -> bool:
    """Return whether the stamp presents a certificate that this machine does not trust."""
    fault = error.fault
    return isinstance(fault, TransportFault) and fault.kind is TransportFaultKind.TLS_VERIFY


def register(
    config: Path,
    name: str,
    values: Mapping[str, object],
    *,
    ca: CaFile | None = None,
    active: bool | None = None,
) -> None:
    """Add `[environments.NAME]`, with its CA file as PEM, and make it active as `add_table` does.

    Raises ConfigError and CertificateError. Blocks on disk.
    """
    if ca is not None:
        environment = read_environment(
            name, Table(config, f"{ENVIRONMENTS}.{name}", {**values, "ca": None})
        )
        values = {**values, "ca": import_ca_file(ca, config, environment)}
    add_environment(config, name, values, active=active)


def record_found(found: Discovery) -> str:
    """Record what was found of the stamp, for later checks to compare. Returns why not, if so."""
    target = found.target
    return write_record(config_of(target), target.environment, found.diff.seen)


def set_tenant(config: Path, found: Discovery) -> None:
    """Give the identity the tenant that it needs and the stamp names. Raises ConfigError."""
    if found.target.identity is not None:
        values = {"tenant": found.missing_tenant}
        set_in_table(config, IDENTITIES, found.target.identity.name, values)
