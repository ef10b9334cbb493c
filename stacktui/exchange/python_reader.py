"""Reading a Python program of the SDK as values: it is parsed, and nothing is executed.

A value that only running the program could tell is None.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from stacktui.exchange.forms import Form
from stacktui.exchange.script_reader import Part
from stacktui.exchange.sdk_values import SdkValues
from stacktui.identities.model import EnvSecret, FileSecret

_OF_SDK = re.compile(r"\bazure\.(?:identity|mgmt)\b")
# The classes of azure-identity, with their positional arguments.
_CREDENTIALS = {
    "ClientSecretCredential": ("tenant_id", "client_id", "client_secret"),
    "CertificateCredential": ("tenant_id", "client_id", "certificate_path"),
    "UsernamePasswordCredential": ("client_id", "username", "password"),
    "DeviceCodeCredential": ("client_id",),
    "ManagedIdentityCredential": (),
}
_OF_CLIENT = ("credential", "subscription_id")
_VARIABLES = {
    "base_url": "ARM_ENDPOINT",
    "subscription_id": "AZURE_SUBSCRIPTION_ID",
    "tenant_id": "AZURE_TENANT_ID",
    "client_id": "AZURE_CLIENT_ID",
    "client_secret": "AZURE_CLIENT_SECRET",
    "certificate_path": "AZURE_CLIENT_CERTIFICATE_PATH",
    "username": "AZURE_USERNAME",
    "password": "AZURE_PASSWORD",
    "object_id": "AZURE_OBJECT_ID",
    "resource_id": "AZURE_CLIENT_ID",
}
_READING = ("read", "read_text", "strip", "rstrip")


def read_python(text: str) -> SdkValues | None:
    """Return what a program says; None where the text is none of the SDK."""
    if not _OF_SDK.search(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the backslashes in paths of Windows
            nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    own: dict[str, Part] = {}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                own[name] = _part(value, own)
    calls = [each for each in nodes if isinstance(each, ast.Call)]
    client = next((each for each in calls if "base_url" in dict(_arguments(each))), None)
    if client is None:
        return None
    credential = next((each for each in calls if _name(each) in _CREDENTIALS), None)
    found = _values(client, own)
    of_identity = _values(credential, own) if credential else {}
    client_id = of_identity.get("AZURE_CLIENT_ID", ("", ""))[0]
    if isinstance(client_id, str):
        found |= of_identity
    else:  # the program takes it from elsewhere
        credential = None
    variables = {variable: part for variable, (part, _) in found.items()}
    names = {variable: origin for variable, (_, origin) in found.items()}
    return SdkValues(Form.SDK_PYTHON, variables | _kind(credential, variables), names)


def _values(call: ast.Call, own: Mapping[str, Part]) -> dict[str, tuple[Part, str]]:
    """Return the values of a call by variable, each with where it stands."""
    return {
        _variable(call, argument): (_part(value, own), f"{_name(call)} {argument}")
        for argument, value in _arguments(call)
    }


def _kind(credential: ast.Call | None, found: Mapping[str, Part]) -> dict[str, Part]:
    """Return the variable that tells the kind, where those of the arguments do not."""
    match _name(credential) if credential else "":
        case "DeviceCodeCredential":
            return {"AZURE_TENANT_ID": found.get("AZURE_TENANT_ID")}
        case "ManagedIdentityCredential":
            return {"AZURE_USE_MSI": "true"}
    return {}


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _arguments(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Yield the arguments that count here, by name."""
    positional = _CREDENTIALS.get(_name(call), _OF_CLIENT)
    for name, value in zip(positional, call.args, strict=False):
        if name in _VARIABLES:
            yield name, value
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg="identity_config", value=ast.Dict(keys=keys, values=values)):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in _VARIABLES:
                        yield str(key.value), value
            case ast.keyword(arg=str(name), value=value) if name in _VARIABLES:
                yield name, value


def _variable(call: ast.Call, argument: str) -> str:
    if _name(call) == "CertificateCredential" and argument == "password":
        return "AZURE_CLIENT_CERTIFICATE_PASSWORD"
    return _VARIABLES[argument]


def _part(value: ast.expr, own: Mapping[str, Part]) -> Part:
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        if value.func.attr not in _READING:
            break
        value = value.func.value
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return own.get(name)
        case (
            ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name)))
            | ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get")
                | ast.Attribute(attr="getenv"),
                args=[ast.Constant(value=str(name)), *_],
            )
        ):
            return EnvSecret(name)
        case ast.Call(func=ast.Name(id="Path" | "open"), args=[ast.Constant(value=str(path)), *_]):
            return FileSecret(Path(path))
    return None
