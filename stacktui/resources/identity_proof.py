"""What a managed identity can do, tried with its own token, on the VM that has it.

Its token comes from the instance metadata service (PROTOCOL.md section 5), which answers on a VM
alone; elsewhere two command lines do the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from stacktui.environments.metadata import Metadata
from stacktui.environments.model import Environment
from stacktui.environments.public_resources import is_public_arm
from stacktui.identities.imds import ENDPOINT, acquire_from_imds, token_url
from stacktui.identities.model import Identity, IdentityKind
from stacktui.resources.client import ArmClient, only
from stacktui.resources.connection import open_session, patient
from stacktui.resources.groups import resource_group
from stacktui.resources.managed_identities import UserIdentity
from stacktui.resources.model import ArmError, ResourceGroup, is_forbidden
from stacktui.resources.retry import Wait
from stacktui.text.shell import bash
from stacktui.transport.records import Exchange

# Seconds between two tries while a new role does not count yet.
_PAUSE = 10.0
_TOKEN = 'sed -n \'s/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p\''  # noqa: S105


def arm_resource(environment: Environment, metadata: Metadata) -> str:
    """Return the `resource` of a token for ARM, as the directory compares it: byte for byte.

    Public clouds list another one first that goes by the name of the old service.
    """
    host = urlsplit(environment.arm).hostname or ""
    return f"https://{host}/" if is_public_arm(host) else metadata.audience


def as_identity(user: UserIdentity) -> Identity:
    """Return the identity that a VM signs in with: `client_id` says which of those it has."""
    return Identity(user.name, IdentityKind.MANAGED_IDENTITY, client_id=user.client_id)


async def read_as(
    environment: Environment,
    identity: Identity,
    resource: str,
    path: str,
    api_version: str | None,
    *,
    settling: float,
    may_settle: Callable[[], Awaitable[bool]],
    on_wait: Callable[[Wait], None],
    on_exchange: Callable[[Exchange], None],
) -> ResourceGroup:
    """Return the resource group at a path, read as a managed identity of this machine.

    Where ARM refuses it, and `may_settle` then, asks again for `settling` seconds: a new role
    counts after a while.
    Raises IdentityError, ArmError and TransportError.
    """
    async with open_session(environment, on_exchange) as session:
        token = await acquire_from_imds(session, resource, identity)
        session.redactor.add_secret(token.value)
        client, waited = ArmClient(session, environment, only(token), patient(on_wait)), 0.0
        while True:
            try:
                return (await resource_group(client, path, api_version))[0]
            except ArmError as error:
                if not is_forbidden(error) or not (waited or await may_settle()):
                    raise
                if waited + _PAUSE > settling:
                    raise
                waited += _PAUSE
                await client.wait("the new role does not count yet", error.fault.status, _PAUSE)


def curl_lines(
    environment: Environment, identity: Identity, resource: str, path: str, api_version: str
) -> tuple[str, str]:
    """Return the lines for the bash of the VM: the token, then the resource group at a path."""
    url = bash(token_url(ENDPOINT, resource, identity))
    group = bash(f"{environment.arm}{path}?api-version={api_version}")
    return (
        f"TOKEN=$(curl -sS --noproxy '*' -H Metadata:true {url} | {_TOKEN})",
        f'curl -sS {group} -H "Authorization: Bearer $TOKEN"',
    )
