"""The forms of environment variables: those of the SDKs and their samples, and Terraform's.

Source: PROTOCOL.md section 7, and azure-identity's EnvironmentCredential.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from stacktui.exchange.connection import Connection
from stacktui.exchange.shells import Shell, Value, comment, set_variables
from stacktui.identities.model import IdentityKind

_ARCHIVED = """\
The provider azurestack of Terraform is archived since 2025: its last version, 1.0.0,
speaks the profile 2019-03-01-hybrid."""
Variables = Iterator[tuple[str, Value]]


def render_bash(connection: Connection) -> str:
    return _render(connection, Shell.BASH)


def render_powershell(connection: Connection) -> str:
    return _render(connection, Shell.POWERSHELL)


def render_cmd(connection: Connection) -> str:
    return _render(connection, Shell.CMD)


def render_terraform(connection: Connection) -> str:
    """Return the variables of Terraform's azurestack provider, for the machine's shell."""
    shell = connection.machine.shell
    notes = [_ARCHIVED]
    if connection.certificate:
        notes.append("It wants the certificate as a PFX: stacktui certificates convert")
    if connection.kind in (IdentityKind.USER, IdentityKind.DEVICE_CODE):
        notes.append("It signs in no user: give the environment a service principal.")
    return _text(connection, shell, notes, _of_terraform(connection))


def _render(connection: Connection, shell: Shell) -> str:
    return _text(connection, shell, [], _of_sdk(connection))


def _text(connection: Connection, shell: Shell, notes: list[str], variables: Variables) -> str:
    said = [comment(shell, each) for each in notes]
    return "\n".join([connection.heading(shell), *said, *set_variables(shell, variables), ""])


def _of_sdk(connection: Connection) -> Variables:
    yield "ARM_ENDPOINT", connection.environment.arm
    yield "AZURE_RESOURCE_LOCATION", connection.region
    yield "AZURE_SUBSCRIPTION_ID", connection.environment.subscription or ""
    yield from _of_identity(connection, "AZURE_")
    if connection.identity is not None and connection.identity.username:
        yield "AZURE_USERNAME", connection.identity.username
        yield "AZURE_PASSWORD", connection.secret_value


def _of_terraform(connection: Connection) -> Variables:
    yield "ARM_METADATA_HOST", urlsplit(connection.environment.arm).netloc
    yield "ARM_SUBSCRIPTION_ID", connection.environment.subscription or ""
    if connection.kind is IdentityKind.MANAGED_IDENTITY:
        yield "ARM_USE_MSI", "true"
    yield from _of_identity(connection, "ARM_")


def _of_identity(connection: Connection, prefix: str) -> Variables:
    identity = connection.identity
    if identity is None:
        return
    if identity.kind is not IdentityKind.MANAGED_IDENTITY:
        yield f"{prefix}TENANT_ID", connection.tenant
    yield f"{prefix}CLIENT_ID", identity.client_id
    if identity.kind is IdentityKind.SERVICE_PRINCIPAL:
        yield f"{prefix}CLIENT_SECRET", connection.secret_value
        yield f"{prefix}CLIENT_CERTIFICATE_PATH", connection.certificate
        yield f"{prefix}CLIENT_CERTIFICATE_PASSWORD", connection.certificate_password
