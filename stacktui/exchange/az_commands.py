"""The commands that connect `az` to a stamp, as Microsoft's documents have them.

Trust, register, select, profile, sign in, subscription, and a first command. Nothing secret is in
an argument list: az reads `@-` from its standard input, and `@FILE` from that file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from stacktui.config.locations import exported_bundle
from stacktui.environments.cloud import Origin
from stacktui.environments.model import CloudKey
from stacktui.environments.naming import ASDK_DOMAIN, ASDK_ROOT
from stacktui.exchange import az_setup
from stacktui.exchange.az_form import needs_instance_discovery_off
from stacktui.exchange.az_setup import Command, registering, selecting, subscribing
from stacktui.exchange.connection import Connection
from stacktui.exchange.shells import (
    Quote,
    Shell,
    Value,
    az_line,
    comment,
    plain,
    set_variables,
)
from stacktui.identities.model import EnvSecret, FileSecret, IdentityKind

_EXPORT_ASDK_ROOT = f"""\
{ASDK_ROOT} as a file, by PowerShell on a Windows machine that has it:
  $roots = Get-ChildItem Cert:\\CurrentUser\\Root | Where-Object Subject -eq 'CN={ASDK_ROOT}'
  Export-Certificate -Type CERT -FilePath root.cer -Cert ($roots | Select-Object -First 1)
  certutil -encode root.cer root.pem
and with that file: stacktui certificates trust root.pem"""
_NO_OWN_ROOTS = """\
If az does not trust the root of the stamp: stacktui certificates trust, then
stacktui certificates export, which says what to set."""
_REGISTERED = """\
az has a cloud of this name, and will not register it again: az cloud update takes
the same options."""
_INSTANCE_DISCOVERY = """\
The login host is private: az must not ask a public one about it.
This setting is global: it holds for every cloud of az."""
# The options of `az cloud register`, in the documents' order. With Entra, az reads the second half
# from the metadata.
REGISTER_OPTIONS = {
    CloudKey.STORAGE_SUFFIX: "--suffix-storage-endpoint",
    CloudKey.KEYVAULT_SUFFIX: "--suffix-keyvault-dns",
    CloudKey.AUDIENCE: "--endpoint-active-directory-resource-id",
    CloudKey.GRAPH: "--endpoint-active-directory-graph-resource-id",
    CloudKey.LOGIN_ENDPOINT: "--endpoint-active-directory",
    CloudKey.IMAGE_ALIASES: "--endpoint-vm-image-alias-doc",
    CloudKey.GALLERY: "--endpoint-gallery",
}
# What is written where the tenant is not known.
TENANT_PLACEHOLDER = "TENANT"
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SIGN_IN = (CloudKey.AUDIENCE, CloudKey.GRAPH, CloudKey.LOGIN_ENDPOINT)
# Tells whoever reads the commands which options of the sign-in are not the stamp's own values.
SET_BY_HAND = "Set by hand, not by the stamp: "


def render(connection: Connection) -> str:
    """Return the commands for the machine's shell and its az."""
    shell, built_in = connection.machine.shell, connection.built_in
    az = None if built_in else connection.machine.az
    blocks = [
        [connection.heading(shell)],
        [] if built_in else list(az_setup.lines(shell, az)),
        list(_trust(connection)),
        [*_proxy(connection), *_addresses(connection)],
        [
            *_known_to_az(connection),
            *_set_by_hand(connection),
            *(az_line(shell, each) for each in _select(connection, built_in)),
        ],
        list(_instance_discovery(connection)),
        list(_login(connection)),
        list(_first_command(connection)),
        list(az_setup.what_still_works(shell, az, connection[CloudKey.AUDIENCE])),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _trust(connection: Connection) -> Iterator[str]:
    machine = connection.machine
    shell = machine.shell
    if connection.domain == ASDK_DOMAIN:
        yield comment(shell, _EXPORT_ASDK_ROOT)
    if not machine.has_own_roots and connection.ca is None:
        yield comment(shell, _NO_OWN_ROOTS)
        return
    yield comment(shell, "A file that az is to trust, with the roots of certifi and yours:")
    yield machine.export_command
    yield from set_variables(shell, [("REQUESTS_CA_BUNDLE", str(exported_bundle()))])


def _proxy(connection: Connection) -> Iterator[str]:
    if (found := connection.proxy_variable) is None:
        return
    shell = connection.machine.shell
    if found[0] == "NO_PROXY":
        yield comment(shell, "No proxy for the stamp; add the hosts that NO_PROXY has here:")
    elif found[1] != connection.environment.proxy:
        yield comment(shell, "The user name and password of the proxy are left out:")
    yield from set_variables(shell, [found])


def _addresses(connection: Connection) -> Iterator[str]:
    """Yield what `resolve` has, which az cannot be told."""
    if pinned := connection.environment.resolve:
        shell = connection.machine.shell
        yield comment(shell, "az cannot be told addresses: those of resolve go into the hosts file")
        for host, address in pinned.items():
            yield comment(shell, f"  {plain(host)} at {plain(address)}")


def _known_to_az(connection: Connection) -> Iterator[str]:
    az, shell = connection.machine.az, connection.machine.shell
    if az is not None and connection.environment.name in (each.name for each in az.clouds):
        yield comment(shell, _REGISTERED)


def _set_by_hand(connection: Connection) -> Iterator[str]:
    """Yield which options are the user's own, where those of the stamp are written too."""
    own = [REGISTER_OPTIONS[key] for key in SIGN_IN if key in connection.environment.endpoints]
    if own and connection.is_adfs:
        yield comment(connection.machine.shell, SET_BY_HAND + " ".join(own))


def _select(connection: Connection, built_in: str) -> list[Command]:
    if built_in:
        return [selecting(built_in)]
    cloud = connection.cloud

    def is_given(key: CloudKey) -> bool:
        own = key in cloud.values and cloud.values[key].origin is Origin.SETTING
        return own or (key is not CloudKey.GALLERY and (key not in SIGN_IN or connection.is_adfs))

    def options(quote: Quote) -> str:
        given = {
            key: option for key, option in REGISTER_OPTIONS.items() if cloud[key] and is_given(key)
        }
        return "".join(f" {option} {quote(cloud[key])}" for key, option in given.items())

    environment = connection.environment
    return registering(environment.name, environment.arm, environment.profile, options)


def _instance_discovery(connection: Connection) -> Iterator[str]:
    shell = connection.machine.shell
    if needs_instance_discovery_off(connection.cloud):
        yield comment(shell, _INSTANCE_DISCOVERY)
        yield az_line(shell, lambda _: "az config set core.instance_discovery=false")


def _login(connection: Connection) -> Iterator[str]:
    shell, identity = connection.machine.shell, connection.identity
    principal = connection.kind is IdentityKind.SERVICE_PRINCIPAL
    tenant = _tenant(connection) or (TENANT_PLACEHOLDER if principal else "")

    def at_tenant(quote: Quote) -> str:
        return f" --tenant {quote(tenant)}" if tenant else ""

    match identity and identity.kind:
        case IdentityKind.SERVICE_PRINCIPAL if identity and connection.certificate:
            path, app = connection.certificate, identity.client_id
            if connection.certificate_password:
                yield comment(shell, "az reads unencrypted PEM only: stacktui certificates convert")
            yield az_line(
                shell,
                lambda q: (
                    f"az login --service-principal -u {q(app)} --certificate {q(path)}"
                    + at_tenant(q)
                ),
            )
        case IdentityKind.SERVICE_PRINCIPAL | IdentityKind.USER if identity:
            option = "--service-principal " if principal else ""
            user = identity.username or identity.client_id
            if not principal:
                yield comment(shell, "Without -p, az asks for the password.")
            yield from _with_secret(
                shell,
                connection.secret_value,
                "AZURE_CLIENT_SECRET" if principal else "AZURE_PASSWORD",
                lambda q, secret: f"az login {option}-u {q(user)} -p {secret}" + at_tenant(q),
            )
        case IdentityKind.MANAGED_IDENTITY if identity:
            named = identity.client_id or identity.object_id or identity.resource_id
            yield az_line(
                shell, lambda q: "az login --identity" + (f" -u {q(named)}" if named else "")
            )
        case _:
            yield az_line(shell, lambda q: "az login --use-device-code" + at_tenant(q))
    if not connection.environment.subscription:
        yield comment(shell, "An identity without any subscription: add --allow-no-subscriptions")


def _tenant(connection: Connection) -> str:
    """Return the tenant for az: for AD FS an id, as az asks a login host about any name.

    The documents have AD FS's id at the end of the audience. A user of AD FS needs none.
    """
    if not connection.is_adfs:
        return connection.tenant
    if connection.kind is not IdentityKind.SERVICE_PRINCIPAL or connection.identity is None:
        return ""
    at_end = connection[CloudKey.AUDIENCE].rstrip("/").rpartition("/")[2]
    known = (connection.identity.tenant or "", connection.cloud.tenant, at_end)
    return next(filter(_UUID.fullmatch, known), "")


def _with_secret(
    shell: Shell, secret: Value, variable: str, command: Callable[[Quote, str], str]
) -> Iterator[str]:
    """Yield the lines of a command whose password az reads from its input, or from a file."""
    if isinstance(secret, FileSecret):
        path = f"@{secret.path}"
        yield az_line(shell, lambda quote: command(quote, quote(path)))
        return
    if isinstance(secret, str):
        yield from set_variables(shell, [(variable, secret)])
        secret = EnvSecret(variable)
    sources = {
        Shell.BASH: f'printf %s "${secret.name}"',
        Shell.POWERSHELL: f"$env:{secret.name}",
        # echo would interpret what is in it.
        Shell.CMD: f'powershell -NoProfile -Command "$env:{secret.name}"',
    }
    yield az_line(shell, lambda quote: command(quote, quote("@-")), sources[shell])


def _first_command(connection: Connection) -> Iterator[str]:
    shell = connection.machine.shell
    if subscription := connection.environment.subscription:
        yield az_line(shell, subscribing(subscription))
    yield az_line(shell, lambda _: "az group list --output table")
