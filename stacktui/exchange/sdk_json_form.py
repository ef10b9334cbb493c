"""The form of the Python SDK samples: the JSON file that they read (PROTOCOL.md section 7)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from stacktui.exchange.connection import Connection
from stacktui.exchange.shells import Value
from stacktui.identities.model import EnvSecret, FileSecret, IdentityKind

SECRET, CERTIFICATE, CERTIFICATE_PASSWORD = "clientSecret", "certPath", "certPass"
# What stands where the secret belongs: JSON has no references.
OF_VARIABLE, OF_FILE = "<the value of the variable {}>", "<the content of the file {}>"
_FILES = {
    SECRET: "azureSecretSpConfig.json, or azureAppSpConfig.json",
    CERTIFICATE: "azureCertSpConfig.json",
}
_NOT_NEEDED = ("objectId", CERTIFICATE_PASSWORD)


def render(connection: Connection) -> str:
    """Return the file of a service principal, for its secret or its certificate.

    What is not known is an empty text.
    """
    return json.dumps(_fields(connection), indent=4) + "\n"


def remarks(connection: Connection) -> Iterator[str]:
    """Yield under which name to save the file, and what to fill in; JSON has no comments."""
    fields = _fields(connection)
    key = CERTIFICATE if CERTIFICATE in fields else SECRET
    yield f"save as {_FILES[key]}, above the sample"
    if connection.kind is not IdentityKind.SERVICE_PRINCIPAL:
        yield "the samples sign in as a service principal only: give the environment one"
    elif key == SECRET and connection.secret is None:
        yield f"{SECRET}: put the secret there; here is only where it is kept"
    if empty := [name for name, text in fields.items() if not text and name not in _NOT_NEEDED]:
        yield f"fill in {', '.join(empty)}"
    yield "objectId stays empty: only the samples of key vaults read it"
    if key == CERTIFICATE:
        yield (
            f"{CERTIFICATE_PASSWORD}: put the password there; here is only where it is kept"
            if connection.certificate_password
            else f"{CERTIFICATE_PASSWORD} stays empty: the key in the file has no password"
        )


def _fields(connection: Connection) -> dict[str, str]:
    identity = connection.identity
    if identity is None or identity.kind is not IdentityKind.SERVICE_PRINCIPAL:
        client, credential = "", {SECRET: ""}
    elif connection.certificate:
        client = identity.client_id
        password = _text(connection.certificate_password)
        credential = {CERTIFICATE: connection.certificate, CERTIFICATE_PASSWORD: password}
    else:
        client, credential = identity.client_id, {SECRET: _text(connection.secret_value)}
    return {
        "clientId": client,
        **credential,
        "objectId": "",
        "subscriptionId": connection.cloud.subscription,
        "tenantId": connection.tenant,
        "resourceManagerEndpointUrl": connection.environment.arm,
        "location": connection.region,
    }


def _text(value: Value) -> str:
    match value:
        case EnvSecret(name=name):
            return OF_VARIABLE.format(name)
        case FileSecret(path=path):
            return OF_FILE.format(path)
        case str():
            return value
