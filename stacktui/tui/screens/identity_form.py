"""The form of an identity: its kind, the keys of that kind, and where its secret is kept."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from stacktui.check.settings import Settings
from stacktui.config.document import typed_path
from stacktui.environments.pasted_url import free_name
from stacktui.identities.certificate_file import read_files
from stacktui.identities.changes import REFERENCES, typed_value
from stacktui.identities.config import (
    CERTIFICATE_PASSWORD,
    KEYS_OF,
    KIND_KEYS,
    MANAGED_NAMES,
    TYPED_REFERENCES,
    read_reference,
    reference_of,
    reference_text,
    save_identity,
)
from stacktui.identities.faults import IdentityError
from stacktui.identities.model import (
    CertificateRef,
    EnvSecret,
    FileSecret,
    IdentityKind,
    KeyringSecret,
)
from stacktui.identities.secrets import resolve_secret
from stacktui.tui.config_change import ConfigChange
from stacktui.tui.screens.form import FormScreen
from stacktui.tui.widgets.fields import Field

HOW = f"{TYPED_REFERENCES}; never the secret itself"


class IdentityForm(FormScreen[ConfigChange]):
    """Adds an identity, a copy of the `copied` one, or changes the `edited` one.

    `table` is the raw table of the config of that one.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        table: Mapping[str, object] | None = None,
        edited: str | None = None,
        copied: str | None = None,
    ) -> None:
        self._settings, self._table, self._edited = settings, dict(table or {}), edited
        self._proposed = copied or "ops"
        known = settings.identities.get(copied or "")
        if known is not None and isinstance(known.secret, KeyringSecret):
            # `true` would be another entry under another name.
            self._table[known.secret_key] = reference_of(known.secret)
        what = f"Edit {edited}" if edited else f"A copy of {copied}" if copied else ""
        super().__init__(what or "Add an identity", self._make_fields())

    def _make_fields(self) -> list[Field]:
        table = self._table
        text = {key: str(value) for key, value in table.items()} | {
            key: reference_text(table.get(key)) for key in REFERENCES
        }

        def field(key: str, label: str, hint: str = "", *, required: bool = False) -> Field:
            problem = _reference_problem if key in REFERENCES else lambda _: ""
            value = text.get(key, "")
            return Field(key, label, hint, value, required=required, problem=problem)

        names = {*self._settings.identities, *self._settings.identity_errors}
        name = Field(
            "name", "Name", "as environments refer to it", free_name(self._proposed, names),
            required=True, problem=lambda value: _name_problem(value, names),
        )  # fmt: skip
        kinds = [(each.words, each.value) for each in IdentityKind]
        kind = text.get("kind", IdentityKind.SERVICE_PRINCIPAL.value)
        return [
            *([] if self._edited else [name]),
            Field("kind", "Kind", "", kind, kinds),
            field("username", "User name", "<user>@<domain>", required=True),
            field("client_id", "Client id", "an application's id"),
            field("object_id", "Object id", "one of the three, or none: the machine's own"),
            field("resource_id", "Resource id"),
            field("tenant", "Tenant", "optional: an id or a domain; else the environment's"),
            field("secret", "Secret", HOW),
            field("certificate", "Certificate", "or this: a PEM or PFX file with its private key"),
            field(CERTIFICATE_PASSWORD, "Its password", "only where that file is encrypted"),
            field("password", "Password", HOW, required=True),
        ]

    @property
    def _kind(self) -> IdentityKind:
        return IdentityKind(self.values["kind"])

    def hidden(self) -> Collection[str]:
        return {*KIND_KEYS} - {*KEYS_OF[self._kind]}

    def problems(self) -> dict[str, str]:
        found, values = super().problems(), self.values
        match self._kind:
            case IdentityKind.SERVICE_PRINCIPAL:
                if not values["client_id"]:
                    found.setdefault("client_id", "is needed")
                if not values["secret"] and not values["certificate"]:
                    found.setdefault("secret", "is needed, or else a certificate")
                elif values["secret"] and values["certificate"]:
                    found.setdefault("certificate", "and a secret: only one of the two can be used")
                elif values[CERTIFICATE_PASSWORD] and not values["certificate"]:
                    found.setdefault(CERTIFICATE_PASSWORD, "is of a certificate, and there is none")
            case IdentityKind.MANAGED_IDENTITY:
                given = [key for key in MANAGED_NAMES if values[key]]
                if len(given) > 1:
                    found.setdefault(given[-1], "is one too many: one of the three is enough")
            case _:
                pass
        return found

    def changed(self, key: str) -> None:
        text, path = self.values[key], self._settings.path
        if key in ("certificate", CERTIFICATE_PASSWORD):
            file, password = self.values["certificate"], self.values[CERTIFICATE_PASSWORD]
            self.read_beside("certificate", lambda: _certificate_remark(file, password, path))
        if key in REFERENCES:
            self.read_beside(key, lambda: _reference_remark(text, path))

    async def save(self) -> ConfigChange:
        hidden, path = self.hidden(), self._settings.path
        name = self._edited or self.values["name"]
        values: dict[str, object] = {"kind": self.values["kind"]}
        changed = self.changes()
        for key in KIND_KEYS:
            text = "" if key in hidden else self.values[key]
            is_kept = bool(text) and key not in changed
            values[key] = self._table.get(key) if is_kept else typed_value(key, text, path)
        before = self._table if self._edited else {}
        changes = {key: value for key, value in values.items() if value != before.get(key)}
        if not changes:
            return ConfigChange(f"{name}: nothing was changed")
        added = self._edited is None
        await self.services.change_config(
            lambda config: save_identity(config, name, changes, added=added)
        )
        users = [
            each.name for each in self._settings.environments.values() if each.identity == name
        ]
        return ConfigChange(f"saved {name} in {path}", tuple(users))


def _name_problem(name: str, taken: Collection[str]) -> str:
    if not name.isprintable():
        return "holds control characters"
    return f"there is an identity {name} already; choose another name" if name in taken else ""


def _reference_problem(text: str) -> str:
    try:
        read_reference(text)
    except ValueError as error:
        return str(error) if text else ""
    return ""


def _reference_remark(text: str, config: Path) -> str:
    """Return whether the secret can be read now."""
    try:
        reference = read_reference(text)
    except ValueError:
        return ""  # said by the field
    match reference:
        case {"env": str(name)}:
            return "set in this shell" if os.environ.get(name) else "not set in this shell"
        case {"file": str(path)}:
            try:
                resolve_secret(FileSecret(typed_path(path, config)))
            except IdentityError as error:
                return str(error)
            return "the file is there"
        case {"prompt": True}:
            return "asked for in each run"
    return ""  # to read a keyring may have to be allowed by hand


def _readable(text: str, config: Path) -> EnvSecret | FileSecret | None:
    """Return the typed reference of a password that can be read now without asking anybody."""
    with suppress(ValueError):
        match read_reference(text):
            case {"env": str(name)}:
                return EnvSecret(name)
            case {"file": str(path)}:
                return FileSecret(typed_path(path, config))
    return None


def _certificate_remark(text: str, password: str, config: Path) -> str:
    """Return what the file holds, or why it cannot sign in."""
    if not text:
        return ""
    reference = CertificateRef(typed_path(text, config), _readable(password, config))
    found = read_files({"": reference}, datetime.now(UTC))[""]
    if found.problem:
        return "; ".join(filter(None, (found.problem, found.remedy)))
    leaf = found.chain[0]
    end = f", until {leaf.not_after:%Y-%m-%d}" if leaf.not_after else ""
    return f"{leaf.common_name or leaf.subject}{end}, with its key"
