"""Reading the JSON files of the SDKs: those of the samples, and `AZURE_ENVIRONMENT_FILEPATH`'s."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stacktui.environments.model import CloudKey
from stacktui.exchange import environment_json_form, sdk_json_form
from stacktui.exchange.forms import Form
from stacktui.exchange.script_reader import Part
from stacktui.exchange.sdk_values import SdkValues
from stacktui.exchange.shells import plain
from stacktui.identities.model import EnvSecret, FileSecret
from stacktui.transport.json_body import is_valid_utf8

_JSON = re.compile(r'\s*\{\s*"')
_CLIENT = "clientId"
# The variable of each key.
_SAMPLE = {
    "resourceManagerUrl": "ARM_ENDPOINT",  # in older samples
    "resourceManagerEndpointUrl": "ARM_ENDPOINT",
    "subscriptionId": "AZURE_SUBSCRIPTION_ID",
}
_PRINCIPAL = {
    _CLIENT: "AZURE_CLIENT_ID",
    "tenantId": "AZURE_TENANT_ID",
    sdk_json_form.SECRET: "AZURE_CLIENT_SECRET",
    sdk_json_form.CERTIFICATE: "AZURE_CLIENT_CERTIFICATE_PATH",
    sdk_json_form.CERTIFICATE_PASSWORD: "AZURE_CLIENT_CERTIFICATE_PASSWORD",
}
# All else in the file is the stamp's own, which its metadata says.
_ENVIRONMENT = {
    environment_json_form.ARM: "ARM_ENDPOINT",
    environment_json_form.STORAGE: f"endpoints.{CloudKey.STORAGE_SUFFIX}",
    environment_json_form.KEY_VAULT: f"endpoints.{CloudKey.KEYVAULT_SUFFIX}",
}
_OF_VARIABLE, _OF_FILE = (
    re.compile(re.escape(each).replace(r"\{\}", "(.+)"), re.DOTALL)
    for each in (sdk_json_form.OF_VARIABLE, sdk_json_form.OF_FILE)
)


def read_json(text: str) -> SdkValues | None:
    """Return what a JSON text says; None where the text is none.

    Raises ValueError for what is no file of an SDK; no value is in its message.
    """
    if not _JSON.match(text):
        return None
    document = _load(text)
    if environment_json_form.ARM in document:
        found = dict(_texts(document, _ENVIRONMENT))
        if vault := found.get(environment_json_form.KEY_VAULT):
            found[environment_json_form.KEY_VAULT] = f".{vault.lstrip('.')}"
        return _values(Form.ENVIRONMENT_JSON, found, _ENVIRONMENT)
    found = dict(_texts(document, _SAMPLE | _PRINCIPAL))
    if _CLIENT not in found:
        return _values(Form.SDK_JSON, found, _SAMPLE)
    values = _values(Form.SDK_JSON, found, _SAMPLE | _PRINCIPAL)
    secret = found.get(sdk_json_form.SECRET, "")
    if not secret and sdk_json_form.CERTIFICATE in found:
        return values
    variables = {**values.variables, "AZURE_CLIENT_SECRET": _secret(secret)}
    return SdkValues(values.form, variables, values.names)


def _load(text: str) -> Mapping[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        for name, _ in pairs if len(found) < len(pairs) else ():
            if sum(name == each for each, _ in pairs) > 1:
                raise ValueError(f"{plain(name)} is in it twice")
        return found

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    try:
        # Python refuses to make an int of very many digits; no number counts here.
        loaded = json.loads(text, object_pairs_hook=unique, parse_constant=refuse, parse_int=float)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error.msg} (line {error.lineno})") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return dict(loaded)


def _texts(document: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in names:
        match document.get(name):
            case str(text) if is_valid_utf8(text):
                if text:
                    yield name, text
            case None:
                pass
            case _:
                raise ValueError(f"{name} is no text")


def _values(form: Form, found: Mapping[str, str], variables: Mapping[str, str]) -> SdkValues:
    taken = {name: text for name, text in found.items() if name in variables}
    return SdkValues(
        form,
        {variables[name]: text for name, text in taken.items()},
        {variables[name]: name for name in taken},
    )


def _secret(text: str) -> Part:
    """Return the secret, or where it is: a file that is not filled in has none."""
    if found := _OF_VARIABLE.fullmatch(text):
        return EnvSecret(found[1])
    if found := _OF_FILE.fullmatch(text):
        return FileSecret(Path(found[1]))
    return text or EnvSecret("AZURE_CLIENT_SECRET")
