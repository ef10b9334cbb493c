"""The form of the Python SDK: a program that lists the resource groups.

It works with azure-mgmt-resource 24 and later, which have other imports and models: this import and
an api-version are in all of them (PROTOCOL.md section 7). What requests trusts, azure-identity and
azure-core trust too.
"""

from __future__ import annotations

from collections.abc import Iterator

from stacktui.config.locations import exported_bundle
from stacktui.environments.model import CloudKey
from stacktui.exchange.az_form import needs_instance_discovery_off
from stacktui.exchange.connection import Connection
from stacktui.exchange.shells import Shell, Value, comment
from stacktui.identities.model import AZURE_CLI, EnvSecret, FileSecret, IdentityKind

# A basic string of TOML is a string of Python too.
from stacktui.text.shell import toml as literal

_INSTALL = 'pip install "azure-identity>=1.27,<2" "azure-mgmt-resource>=24,<27"'
_BUNDLE = """\
REQUESTS_CA_BUNDLE: the roots of certifi and yours, in the file that
stacktui certificates export writes"""
_NO_OWN_ROOTS = """\
If Python does not trust the root of the stamp: stacktui certificates trust, then
stacktui certificates export, which says what to set."""
_OTHER_SCOPE = "If AD FS answers MSIS9605: /openid in place of /.default in credential_scopes."
_CREDENTIALS = {
    IdentityKind.USER: "UsernamePasswordCredential",
    IdentityKind.DEVICE_CODE: "DeviceCodeCredential",
    IdentityKind.MANAGED_IDENTITY: "ManagedIdentityCredential",
    # The account of az would be that of its active cloud.
    IdentityKind.AZURE_CLI: "DeviceCodeCredential",
}


def render(connection: Connection) -> str:
    """Return the program. An environment without an identity signs in by device code."""
    credential, arguments = _credential(connection)
    scope = f"{connection[CloudKey.AUDIENCE]}/.default"
    client = [
        "credential",
        f"subscription_id={_or_variable(connection.cloud.subscription, 'SUBSCRIPTION_ID')}",
        f"base_url={literal(connection.environment.arm)}",
        f"api_version={literal(connection.api_version)}",
        f"credential_scopes=[{literal(scope)}]",
    ]
    body = [
        *_settings(connection),
        *_call("credential", credential, arguments),
        *_call("client", "ResourceManagementClient", client),
        "for group in client.resource_groups.list():",
        "    print(group.name)",
        "",
    ]
    imports = {"import os": "os.environ", "from pathlib import Path": "Path("}
    used = [line for line, name in imports.items() if any(name in each for each in body)]
    head = [
        connection.heading(Shell.BASH),
        f"# {_INSTALL}",
        *([] if connection.built_in else [comment(Shell.BASH, _trust(connection))]),
        *([comment(Shell.BASH, _OTHER_SCOPE)] if connection.is_adfs else []),
        *(comment(Shell.BASH, each) for each in _to_set(connection)),
        *used,
        *[""] * bool(used),
        f"from azure.identity import {credential}",
        "from azure.mgmt.resource.resources import ResourceManagementClient",
        "",
    ]
    return "\n".join(head + body)


def remarks(connection: Connection) -> Iterator[str]:
    """Yield what the program needs of this machine before it runs."""
    if _has_own_roots(connection) and not connection.machine.has_bundle:
        yield f"{exported_bundle()} lacks roots that the program needs; before it runs:"
        yield f"  {connection.machine.export_command}"
    yield from _to_set(connection)


def _to_set(connection: Connection) -> Iterator[str]:
    """Yield which variables the program reads, and where one can be set for good."""
    names = []
    if not connection.cloud.subscription:
        names.append(_variable("SUBSCRIPTION_ID"))
    if not connection.tenant and connection.kind is IdentityKind.SERVICE_PRINCIPAL:
        names.append(_variable("TENANT_ID"))
    if isinstance(secret := connection.secret_value, EnvSecret):
        names.append(secret)
    if names:
        yield f"set where it runs: {', '.join(each.name for each in names)}"
    if not connection.cloud.subscription:
        use = ("stacktui subscriptions use ID", "--environment", connection.environment.name)
        yield "or choose a subscription, then export again:"
        yield f"  {connection.machine.own_command(*use)}"


def _call(name: str, function: str, arguments: list[str]) -> list[str]:
    lines = [f"    {each}," for each in arguments]
    return [f"{name} = {function}(", *lines, ")"] if lines else [f"{name} = {function}()"]


def _trust(connection: Connection) -> str:
    return _BUNDLE if _has_own_roots(connection) else _NO_OWN_ROOTS


def _has_own_roots(connection: Connection) -> bool:
    return connection.machine.has_own_roots or connection.ca is not None


def _settings(connection: Connection) -> Iterator[str]:
    """Yield the variables by which both packages take the trust and the proxy."""
    if _has_own_roots(connection):
        bundle = str(exported_bundle())
        missing = f"{bundle} is not there; to write it: {connection.machine.export_command}"
        yield f"bundle = Path({literal(bundle)})"
        yield "if not bundle.is_file():"
        yield f"    raise SystemExit({literal(missing)})"
        yield 'os.environ["REQUESTS_CA_BUNDLE"] = str(bundle)'
    if connection.proxy_variable:
        name, text = connection.proxy_variable
        yield f"os.environ[{literal(name)}] = {literal(text)}"


def _credential(connection: Connection) -> tuple[str, list[str]]:
    """Return the class of azure-identity, and its arguments."""
    identity, kind = connection.identity, connection.kind or IdentityKind.DEVICE_CODE
    if kind is IdentityKind.MANAGED_IDENTITY and identity is not None:
        return _CREDENTIALS[kind], list(_managed(connection))
    arguments = [
        f"client_id={literal((identity and identity.client_id) or AZURE_CLI)}",
        f"authority={literal(connection.authority)}",
    ]
    if connection.tenant or kind is IdentityKind.SERVICE_PRINCIPAL:
        arguments.insert(0, f"tenant_id={_or_variable(connection.tenant, 'TENANT_ID')}")
    secret = _value(connection.secret_value)
    name = _CREDENTIALS.get(kind, "")
    if kind is IdentityKind.USER and identity is not None:
        arguments += [f"username={literal(identity.username)}", f"password={secret}"]
    elif connection.certificate:
        name = "CertificateCredential"
        arguments.append(f"certificate_path={literal(connection.certificate)}")
        if password := connection.certificate_password:
            arguments.append(f"password={_value(password)}")
    elif kind is IdentityKind.SERVICE_PRINCIPAL:
        name = "ClientSecretCredential"
        arguments.append(f"client_secret={secret}")
    if connection.is_adfs or needs_instance_discovery_off(connection.cloud):
        arguments.append("disable_instance_discovery=True")
    return name, arguments


def _managed(connection: Connection) -> Iterator[str]:
    identity = connection.identity
    if identity is not None and identity.client_id:
        yield f"client_id={literal(identity.client_id)}"
    for key in ("object_id", "resource_id"):
        if text := getattr(identity, key):
            yield f"identity_config={{{literal(key)}: {literal(text)}}}"


def _or_variable(text: str, name: str) -> str:
    """Return what is known, or in its place the variable that the SDK's programs read."""
    return literal(text) if text else _value(_variable(name))


def _variable(name: str) -> EnvSecret:
    return EnvSecret(f"AZURE_{name}")


def _value(value: Value) -> str:
    match value:
        case EnvSecret(name=name):
            return f"os.environ[{literal(name)}]"
        case FileSecret(path=path):
            return f'Path({literal(str(path))}).read_text(encoding="utf-8-sig").rstrip("\\r\\n")'
        case str():
            return literal(value)
