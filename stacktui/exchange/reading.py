"""Recognising an environment and its identity in a text of one of the forms."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import urlsplit

from stacktui.config.document import ConfigError, parse_document
from stacktui.environments.model import CloudKey, parse_arm_url
from stacktui.environments.naming import domain_of, suffixes
from stacktui.errors import StacktuiError
from stacktui.exchange.az_commands import (
    REGISTER_OPTIONS,
    SET_BY_HAND,
    SIGN_IN,
    TENANT_PLACEHOLDER,
)
from stacktui.exchange.forms import Form
from stacktui.exchange.json_reader import read_json
from stacktui.exchange.python_reader import read_python
from stacktui.exchange.script_reader import Part, Script, read_script
from stacktui.exchange.sdk_values import SdkValues
from stacktui.exchange.shells import Shell
from stacktui.identities.model import AZURE_CLI, EnvSecret, FileSecret, IdentityKind

# An export has about 2 KiB for each environment.
MAX_SIZE = 64 * 1024
_VARIABLES_OF = {
    Shell.BASH: Form.ENV,
    Shell.POWERSHELL: Form.POWERSHELL,
    Shell.CMD: Form.CMD,
}
_SHORT = {
    "-n": "--name", "-u": "--username", "-p": "--password", "-t": "--tenant",
    "-s": "--subscription",
}  # fmt: skip
# How cmd has PowerShell print a variable into a pipe.
_PRINTED = re.compile(r"\$env:(\w+)")
_CERTIFICATE = re.compile(r".+\.(?:pem|pfx|p12|crt|cer)", re.IGNORECASE)
_SET_BY_HAND = re.compile(rf"^(?:#|rem) {SET_BY_HAND}(.*)", re.MULTILINE)
_SECRET, _PASSWORD = "AZURE_CLIENT_SECRET", "AZURE_PASSWORD"


class UnknownFormError(StacktuiError):
    """A text carries no environment in a form that is known."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says of one environment, with the keys and values of the config.

    `values` lack `identity`, whose own values are `identity` (None without one). The names are
    empty where the text has none. `origins` say by key where the text has it. `secret` is the
    secret itself, where the text has that; the identity has a reference in its place. `lacks` names
    an identity that the environment has, but the text has not. `left_out` is where the text has the
    password of a certificate, for which the config has no key, and `unused_secret` where it has a
    secret beside a certificate.
    """

    form: Form
    values: Mapping[str, object]
    identity: Mapping[str, object] | None = None
    name: str = ""
    identity_name: str = ""
    secret: str = field(default="", repr=False)
    origins: Mapping[str, str] = field(default_factory=dict)
    lacks: str = ""
    left_out: str = ""
    unused_secret: str = ""


def read_text(text: str, folder: Path) -> tuple[Reading, ...]:
    """Return the environments in a text; relative paths in it are below `folder`.

    Nothing is executed, and no file is read. Raises UnknownFormError.
    """
    text = text.removeprefix("\ufeff")
    try:
        values = read_json(text)
    except ValueError as error:
        raise UnknownFormError(str(error)) from None
    if values is not None:
        return (read_values(values, folder),)
    try:
        document = parse_document(Path(), text.encode("utf-8", "replace"))
    except ConfigError:
        document = {}
    if isinstance(tables := document.get("environments"), dict):
        return tuple(_of_tables(document, tables, folder))
    if (values := read_python(text)) is not None:
        return (read_values(values, folder),)
    script = read_script(text)
    reader = _Reader(script, _VARIABLES_OF[script.shell], folder)
    reader.set_by_hand = " ".join(_SET_BY_HAND.findall(text)).split()
    return (reader.read(),)


def read_values(values: SdkValues, folder: Path) -> Reading:
    """Return the environment that these values name. Raises UnknownFormError."""
    script = Script(Shell.BASH, dict(values.variables))
    return _Reader(script, values.form, folder, values.names).read()


def _of_tables(
    document: Mapping[str, Any], tables: Mapping[str, Any], folder: Path
) -> Iterator[Reading]:
    identities = document.get("identities")
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise UnknownFormError(f"environments.{name} is no table")
        values = {key: value for key, value in table.items() if key != "identity"}
        if isinstance(ca := values.get("ca"), str):
            values["ca"] = _below(folder, ca)
        named = table.get("identity")
        found = identities.get(named) if isinstance(identities, dict) else None
        identity, secret = _of_table(found, folder) if isinstance(found, dict) else (None, "")
        origins = dict.fromkeys(values, f"[environments.{name}]")
        origins |= dict.fromkeys(identity or (), f"[identities.{named}]")
        lacks = str(named or "") if identity is None else ""
        yield Reading(Form.TOML, values, identity, name, str(named or ""), secret, origins, lacks)


def _of_table(found: Mapping[str, Any], folder: Path) -> tuple[dict[str, object], str]:
    """Return an identity with absolute paths, and the secret itself that stood in it."""
    identity, secret = dict(found), ""
    for key, value in found.items():
        match value:
            case str() if key == "certificate":
                identity[key] = _below(folder, value)
            case {"file": str(path)}:
                identity[key] = {"file": _below(folder, path)}
            case str() if key in ("secret", "password"):
                secret = value
                identity[key] = {"env": _SECRET if key == "secret" else _PASSWORD}
    return identity, secret


def _below(folder: Path, path: str) -> str:
    """Return a path as it is, if it is absolute, here or on Windows, or begins at a home."""
    is_whole = path.startswith("~") or PureWindowsPath(path).is_absolute()
    return path if is_whole else os.path.join(folder, path)


class _Reader:
    """Collects the values that a script has for an environment.

    `form` is that of its variables, and `names` says how the user's text calls them. The options
    `set_by_hand` of az have values of the user's, whatever the naming rule gives.
    """

    def __init__(
        self, script: Script, form: Form, folder: Path, names: Mapping[str, str] | None = None
    ) -> None:
        self._script = script
        self._form = form
        self.set_by_hand: list[str] = []
        self._folder = folder
        self._names = names or {}
        self._origins: dict[str, str] = {}
        self._secret = self._left_out = self._unused_secret = ""
        self._options: dict[str, dict[str, Part]] = {}
        for command in script.commands:
            name, options = _options(command.words)
            if name and options.get("--password") == "@-" and command.source:
                options["--password"] = _printed(command.source[-1])
            self._options.setdefault(name, {}).update(options)

    def read(self) -> Reading:
        form, arm = self._arm()
        values: dict[str, object] = {"arm": arm}
        profile = self._text("profile", ("az cloud update", "--profile"))
        values["profile"] = profile or self._text("profile", ("az cloud register", "--profile"))
        values["subscription"] = self._text(
            "subscription",
            "AZURE_SUBSCRIPTION_ID",
            "ARM_SUBSCRIPTION_ID",
            ("az account set", "--subscription"),
            ("connect-azaccount", "-subscription"),
        )
        values["endpoints"] = own = self._own_endpoints(arm)
        values["vm_image_aliases"] = own.pop(CloudKey.IMAGE_ALIASES, None)
        identity = self._identity()
        name = self._text("name", ("az cloud register", "--name"), ("add-azenvironment", "-name"))
        return Reading(
            form,
            {key: value for key, value in values.items() if value},
            identity and {key: value for key, value in identity.items() if value},
            name,
            secret=self._secret,
            origins=self._origins,
            left_out=self._left_out,
            unused_secret=self._unused_secret,
        )

    def _arm(self) -> tuple[Form, str]:
        places: dict[str | tuple[str, str], Form] = {
            ("az cloud register", "--endpoint-resource-manager"): Form.AZ_COMMANDS,
            ("add-azenvironment", "-armendpoint"): Form.AZ_POWERSHELL,
            "ARM_ENDPOINT": self._form,
            "ARM_METADATA_HOST": Form.TERRAFORM,
        }
        for place, form in places.items():
            if found := self._text("arm", place):
                url = f"https://{found}" if form is Form.TERRAFORM else found
                try:
                    return form, parse_arm_url(url)
                except ValueError as error:
                    raise UnknownFormError(f"{self._origins['arm']} {error}") from None
        known = "ARM_ENDPOINT, ARM_METADATA_HOST, az cloud register, Add-AzEnvironment"
        files = "resourceManagerEndpointUrl or resourceManagerEndpoint in JSON, tables of a config"
        raise UnknownFormError(f"no environment in it; known: {known}, {files}")

    def _own_endpoints(self, arm: str) -> dict[str, object]:
        """Return the values that neither the metadata nor the naming rule would give.

        The sign-in of a stamp with AD FS is always on the command line: by its names, the audience
        too is taken to be that of the metadata, unless a comment of the export says otherwise.
        """
        host = urlsplit(arm).hostname or ""
        domain = domain_of(host)
        storage, keyvault = suffixes(host)
        usual = {CloudKey.STORAGE_SUFFIX: storage, CloudKey.KEYVAULT_SUFFIX: keyvault}
        found = {
            key: self._text(key, ("az cloud register", option), f"endpoints.{key}")
            for key, option in REGISTER_OPTIONS.items()
        }
        adfs = {
            CloudKey.LOGIN_ENDPOINT: f"https://adfs.{domain}/adfs",
            CloudKey.GRAPH: f"https://graph.{domain}",
        }
        if all(found[key].rstrip("/").lower() in ("", adfs[key]) for key in adfs):
            usual |= {key: found[key] for key in SIGN_IN if found[CloudKey.LOGIN_ENDPOINT]}
        for key in SIGN_IN:
            if REGISTER_OPTIONS[key] in self.set_by_hand:
                usual.pop(key, None)
        return {str(key): text for key, text in found.items() if text and text != usual.get(key)}

    def _identity(self) -> dict[str, object] | None:
        for read in (self._from_az_login, self._from_connect, self._from_variables):
            if (found := read()) is not None:
                return found
        return None

    def _from_az_login(self) -> dict[str, object] | None:
        login = self._options.get("az login")
        if login is None:
            return None
        where = "az login"
        user = self._text("client_id", (where, "--username"))
        tenant = self._tenant((where, "--tenant"))
        if "--identity" in login:
            return _managed(user)
        if "--service-principal" not in login:
            return self._user(user, tenant, login.get("--password"))
        certificate = self._text("certificate", (where, "--certificate"))
        password = login.get("--password")
        if not certificate and isinstance(password, str) and _CERTIFICATE.fullmatch(password):
            certificate = password.removeprefix("@")  # as the documents have it
        return self._principal(user, tenant, certificate, password, where)

    def _from_connect(self) -> dict[str, object] | None:
        where = "connect-azaccount"
        given = self._options.get(where)
        if given is None:
            return None
        tenant = self._tenant((where, "-tenant"), (where, "-tenantid"))
        if "-identity" in given:
            return _managed(self._text("client_id", (where, "-accountid")))
        user, secret = self._script.credential or (None, None)
        if "-serviceprincipal" not in given:
            return self._user(self._resolved(user), tenant, secret)
        certificate = self._text("certificate", (where, "-certificatepath"))
        application = self._text("client_id", (where, "-applicationid"))
        return self._principal(
            application or self._resolved(user), tenant, certificate, secret, where
        )

    def _from_variables(self) -> dict[str, object] | None:
        for prefix in ("AZURE_", "ARM_"):
            client = self._text("client_id", f"{prefix}CLIENT_ID")
            tenant = self._tenant(f"{prefix}TENANT_ID")
            certificate = self._text("certificate", f"{prefix}CLIENT_CERTIFICATE_PATH")
            secret = f"{prefix}CLIENT_SECRET"
            user = self._text("username", f"{prefix}USERNAME")
            if self._text("kind", f"{prefix}USE_MSI").lower() == "true":
                named = _managed(client)
                return named | {"object_id": self._text("object_id", f"{prefix}OBJECT_ID")}
            if user:
                return self._user(user, tenant, EnvSecret(_PASSWORD), client)
            password = f"{prefix}CLIENT_CERTIFICATE_PASSWORD"
            if certificate and password in self._script.variables:
                self._left_out = self._names.get(password, password)
            if certificate and secret in self._script.variables:
                self._unused_secret = self._names.get(secret, secret)
            if certificate or secret in self._script.variables:
                return self._principal(client, tenant, certificate, EnvSecret(secret), secret)
            if f"{prefix}TENANT_ID" in self._script.variables:
                return self._user("", tenant, None, client)
            if client:
                return _managed(client)
        return None

    def _principal(
        self, client: str, tenant: str, certificate: str, secret: Part, origin: str
    ) -> dict[str, object]:
        found: dict[str, object] = {"kind": str(IdentityKind.SERVICE_PRINCIPAL)}
        found |= {"tenant": tenant, "client_id": client}
        if certificate:
            return found | {"certificate": _below(self._folder, certificate)}
        variable = origin if origin.isupper() else _SECRET
        return found | {"secret": self._reference(secret, variable)}

    def _user(self, user: str, tenant: str, password: Part, client: str = "") -> dict[str, object]:
        """Return a user who has a password, or, without a name, signs in by device code."""
        kind = IdentityKind.USER if user else IdentityKind.DEVICE_CODE
        found: dict[str, object] = {"kind": str(kind), "tenant": tenant}
        found["client_id"] = client if client != AZURE_CLI else ""
        if user:
            found |= {"username": user, "password": self._reference(password, _PASSWORD)}
        return found

    def _reference(self, part: Part, variable: str) -> dict[str, str]:
        """Return the reference to a secret, and keep the secret itself where the text has it."""
        for _ in range(len(self._script.variables) + 1):
            if not isinstance(part, EnvSecret) or part.name not in self._script.variables:
                break
            variable = part.name
            if (inner := self._script.variables[variable]) == part:
                break
            part = inner
        match part:
            case EnvSecret(name=name):
                return {"env": name}
            case FileSecret(path=path):
                return {"file": _below(self._folder, str(path))}
            case str() if part.startswith("@") and "az login" in self._options:  # a file, to az
                return {"file": _below(self._folder, part[1:])}
            case str():
                self._secret = part
        return {"env": variable}

    def _tenant(self, *places: str | tuple[str, str]) -> str:
        """Return a tenant; AD FS needs none."""
        found = self._text("tenant", *places)
        return "" if found in ("adfs", TENANT_PLACEHOLDER) else found

    def _text(self, key: str, *places: str | tuple[str, str]) -> str:
        """Return the first text at these places, variables or options; empty without one."""
        for place in places:
            if isinstance(place, str):
                part, origin = self._script.variables.get(place), self._names.get(place, place)
            else:
                part = self._options.get(place[0], {}).get(place[1])
                origin = f"{place[0]} {place[1]}"
            if found := self._resolved(part):
                self._origins[key] = origin
                return found
        return ""

    def _resolved(self, part: Part) -> str:
        if isinstance(part, EnvSecret):
            part = self._script.variables.get(part.name)
        return part.strip() if isinstance(part, str) else ""


def _managed(name: str) -> dict[str, object]:
    key = "resource_id" if name.startswith("/") else "client_id"
    return {"kind": str(IdentityKind.MANAGED_IDENTITY), key: name}


def _options(words: tuple[Part, ...]) -> tuple[str, dict[str, Part]]:
    """Return the name of a command that counts here, and its options; a flag's value is empty."""
    first = os.path.basename(words[0]).lower() if isinstance(words[0], str) else ""
    if first in ("az", "az.cmd", "az.bat"):
        name = ["az", *(str(word) for word in _until_option(words[1:]))]
        rest = words[len(name) :]
    else:
        name, rest = [first.replace("-azurerm", "-az")], words[1:]
    options: dict[str, Part] = {}
    option = ""
    for word in rest:
        if isinstance(word, str) and word.startswith("-") and len(word) > 1:
            option, sign, value = word.partition("=")
            option = _SHORT.get(option, option.lower())
            options[option] = value if sign else ""
        elif option and options[option] == "":
            options[option] = word
    return " ".join(name), options


def _until_option(words: tuple[Part, ...]) -> Iterator[Part]:
    for word in words:
        if not isinstance(word, str) or word.startswith("-"):
            return
        yield word


def _printed(part: Part) -> Part:
    found = _PRINTED.fullmatch(part) if isinstance(part, str) else None
    return EnvSecret(found[1]) if found else part
