"""Reading `[environments.*]` tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stacktui.config.document import ConfigError, Table, nearest, read_document
from stacktui.config.edit import ENVIRONMENTS, add_tables, set_in_table, with_changes
from stacktui.environments.model import OVERRIDES, CloudKey, Environment, parse_arm_url
from stacktui.environments.profiles import DEFAULT_PROFILE, PROFILES
from stacktui.transport.host import is_host
from stacktui.transport.json_body import is_valid_utf8
from stacktui.transport.limits import LIMIT_SETTINGS, Limits, read_limit
from stacktui.transport.proxy import DIRECT, parse_proxy

_PORT = re.compile(r"[0-9]{1,5}")
# The keys whose value is a string. A form asks for these; the others are for the file alone.
TEXTS = ("arm", "profile", "identity", "subscription", "ca", "proxy", "vm_image_aliases")
KEYS = (*TEXTS, "resolve", "limits", "endpoints")
# The keys that `change_environment` takes.
CHANGEABLE = (
    *TEXTS,
    *(f"limits.{name}" for name in LIMIT_SETTINGS),
    *(f"endpoints.{key}" for key in OVERRIDES),
)


def read_environment(
    name: str, table: Table, limits: Mapping[str, float] | None = None
) -> Environment:
    """Return one environment. Raises ConfigError, which names the key and the fix.

    `limits` replace the table's own, for this run.
    """
    arm = table.required("arm", '"https://management.<region>.<fqdn>"')
    try:
        arm = parse_arm_url(arm)
    except ValueError as error:
        # A URL with a user name may hold a password, so do not repeat it.
        quoted = "" if "@" in arm else f"{arm!r} "
        raise table.error("arm", f"{quoted}{error}") from None
    profile = table.string("profile") or DEFAULT_PROFILE
    if profile not in PROFILES:
        meant = nearest(profile, PROFILES)
        hint = f"did you mean {meant}?" if meant else f"known: {', '.join(PROFILES)}"
        raise table.error("profile", f"{profile!r} is not a known profile; {hint}")
    return Environment(
        name=name,
        arm=arm,
        profile=profile,
        identity=table.string("identity"),
        subscription=table.string("subscription"),
        ca=table.path_value("ca"),
        proxy=_proxy(table),
        resolve=_resolve(table),
        limits=Limits().with_settings({**_limits(table), **(limits or {})}),
        endpoints=_endpoints(table, arm),
        vm_image_aliases=_image_aliases(table),
    )


def setting_problem(config: Path, key: str, value: str) -> str:
    """Return what is wrong with the value of one key, worded to follow the key; else empty."""
    # Any valid `arm`, as every environment needs one.
    values = {"arm": "https://localhost", key: value}
    try:
        read_environment("", Table(config, "", values))
    except ConfigError as error:
        return error.message.removeprefix(f"{key} ")
    return ""


def add_environment(
    path: Path, name: str, values: Mapping[str, object], *, active: bool | None = None
) -> None:
    """Add `[environments.NAME]`, and make it the active one as `add_table` does.

    Raises ConfigError, with nothing changed, where it would not be valid or the name is taken.
    """
    add_environments(path, {name: values}, active=active)


def add_environments(
    path: Path, tables: Mapping[str, Mapping[str, object]], *, active: bool | None = None
) -> None:
    """Add all of these, or none where it raises ConfigError; as `add_tables`."""
    for name, values in tables.items():
        read_environment(name, Table(path, f"{ENVIRONMENTS}.{name}", values))
    add_tables(path, ENVIRONMENTS, tables, active=active)


def change_environment(path: Path, name: str, changes: Mapping[str, str]) -> Mapping[str, object]:
    """Set each key of `[environments.NAME]` to its value; an empty value removes the key.

    Returns the previous values of these keys. Raises ConfigError, with nothing changed, where the
    result would not be valid; the table as it is may be invalid.
    """
    document = read_document(path)
    tables = document.get("environments")
    before = tables.get(name) if isinstance(tables, dict) else None
    if before is None:
        raise ConfigError(path, f"environments.{name} is not there")
    place = f"environments.{name}"
    table = Table(path, place, before)
    for key in changes:
        if key not in CHANGEABLE:
            meant = nearest(key, CHANGEABLE)
            hint = f"did you mean {meant}?" if meant else f"known: {', '.join(CHANGEABLE)}"
            raise table.error(key, f"cannot be set; {hint}")
    identities = document.get("identities")
    if (identity := changes.get("identity")) and identity not in (identities or {}):
        known = ", ".join(identities or {}) or "none"
        raise table.error("identity", f"{identity!r} is not there; known: {known}")
    new = {key: _typed(key, value) if value else None for key, value in changes.items()}
    read_environment(name, Table(path, place, with_changes(before, new)))
    set_in_table(path, ENVIRONMENTS, name, new)
    return {key: value for key in changes if (value := _value(before, key)) is not None}


def _typed(key: str, text: str) -> object:
    """Return a value with its type in the config: limits are numbers, all others strings."""
    if not key.startswith("limits."):
        return text
    try:
        number = float(text)
        return int(number) if number == int(number) else number
    except (ValueError, OverflowError):
        return text


def _value(table: Mapping[str, Any], key: str) -> object:
    group, _, last = key.rpartition(".")
    holder = table.get(group) if group else table
    return holder.get(last) if isinstance(holder, Mapping) else None


def _limits(table: Table) -> dict[str, float]:
    limits = table.table("limits")
    found = {}
    for name in limits or ():
        if limits is not None and name in LIMIT_SETTINGS:
            try:
                found[name] = read_limit(name, limits.value(name))
            except ValueError as error:
                raise limits.error(name, str(error)) from None
    return found


def _endpoints(table: Table, arm: str) -> dict[CloudKey, str]:
    """Return the values that replace the metadata's. A token is asked for with two of them."""
    own = table.table("endpoints")
    found = {}
    for name in own or ():
        if own is None or name not in OVERRIDES:
            continue  # an unknown key is warned of where all of them are
        key = CloudKey(name)
        value = (own.string(name) or "").strip()
        if problem := _endpoint_problem(key, value, urlsplit(arm).hostname or ""):
            raise own.error(name, problem)
        found[key] = value
    return found


def _image_aliases(table: Table) -> str | None:
    url = table.string("vm_image_aliases")
    if url is not None and (problem := _endpoint_problem(CloudKey.IMAGE_ALIASES, url, "")):
        raise table.error("vm_image_aliases", problem)
    return url


def _endpoint_problem(key: CloudKey, value: str, host: str) -> str:
    """Return what is wrong with such a value, without repeating it; else empty."""
    if not value.isprintable() or not is_valid_utf8(value):
        return "holds control characters"
    if key is CloudKey.AUDIENCE:
        from stacktui.environments.public_resources import is_public_resource

        public = is_public_resource(value, host)
        return "is a resource of Microsoft's public cloud, not of a stamp" if public else ""
    if key in (CloudKey.STORAGE_SUFFIX, CloudKey.KEYVAULT_SUFFIX):
        return "" if is_host(value.removeprefix(".")) else "must be a suffix: <region>.<fqdn>"
    # A secret is sent to the login endpoint alone.
    schemes = ("https",) if key is CloudKey.LOGIN_ENDPOINT else ("https", "http")
    try:
        parts = urlsplit(value)
        if parts.scheme in schemes and is_host(parts.hostname or "") and "@" not in parts.netloc:
            return "must have a port from 1 to 65535" if parts.port == 0 else ""
    except ValueError:
        pass
    return f"must be an {' or '.join(f'{each}:' for each in schemes)} URL without a user name"


def _proxy(table: Table) -> str | None:
    proxy = table.string("proxy")
    if proxy is not None and proxy != DIRECT:
        try:
            parse_proxy(proxy, "proxy")
        except ValueError as error:
            # The value may hold a password, so do not repeat it.
            raise table.error("proxy", f"{error}, or {DIRECT!r}") from None
    return proxy


def _is_place(text: str) -> bool:
    host, _, port = text.rpartition(":")
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        return False
    bracketed = host.startswith("[") and host.endswith("]")
    return is_host(host[1:-1]) and ":" in host if bracketed else is_host(host)


def _resolve(table: Table) -> dict[str, str]:
    pins = table.strings("resolve")
    for key, value in pins.items():
        for text in (key, value):
            # Only a name to pin may be a wildcard.
            if not _is_place(text.removeprefix("*.") if text is key else text):
                # A password may stand before an @, so do not repeat it.
                what = "an entry with an @" if "@" in text else repr(text)
                raise table.error(
                    "resolve", f'has {what}, which is not host:port; write "host:443"'
                )
    return {key.lower(): value for key, value in pins.items()}
