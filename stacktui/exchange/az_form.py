"""The form of `az`: a section of its `clouds.config`, out and in, and how far the two agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from stacktui.azure_cli.cloud_file import AzClouds
from stacktui.environments.cloud import Cloud
from stacktui.environments.metadata import IdentityProvider
from stacktui.environments.model import CloudKey, parse_arm_url, setting_of
from stacktui.environments.naming import suffixes
from stacktui.identities.authority import PUBLIC_LOGIN_HOSTS
from stacktui.text.sanitize import redact_credentials

PROFILE, SUBSCRIPTION = "profile", "subscription"
# In the order in which az writes them (PROTOCOL.md section 7).
_OPTIONS = {
    "endpoint_active_directory": CloudKey.LOGIN_ENDPOINT,
    "endpoint_active_directory_graph_resource_id": CloudKey.GRAPH,
    "endpoint_active_directory_resource_id": CloudKey.AUDIENCE,
    "endpoint_gallery": CloudKey.GALLERY,
    "endpoint_resource_manager": CloudKey.ARM,
    "endpoint_vm_image_alias_doc": CloudKey.IMAGE_ALIASES,
    "suffix_keyvault_dns": CloudKey.KEYVAULT_SUFFIX,
    "suffix_storage_endpoint": CloudKey.STORAGE_SUFFIX,
}


class AzState(StrEnum):
    """How a cloud stands in az."""

    ABSENT = "absent"
    SAME = "same"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class AzDifference:
    """An option of az's with its value there, empty if it has none, and the stamp's.

    What looks like a credential is redacted in az's, as the signature in the URL of a document.
    """

    option: str
    registered: str
    expected: str


@dataclass(frozen=True, slots=True)
class AzSync:
    """How a cloud stands in az, and under which name: its own, or that of the same ARM endpoint."""

    state: AzState
    name: str = ""
    active: bool = False
    differences: tuple[AzDifference, ...] = ()


def options_of(cloud: Cloud) -> dict[str, str]:
    """Return the options of a cloud as `az cloud register` writes them, less what is not known."""
    values = {option: cloud[key] for option, key in _OPTIONS.items()}
    return {PROFILE: cloud.profile, **{key: text for key, text in values.items() if text}}


def differences(cloud: Cloud, registered: Mapping[str, str]) -> Iterator[AzDifference]:
    """Yield what a registration would change: ARM is compared as a URL, all else byte for byte."""
    for option, expected in options_of(cloud).items():
        text = registered.get(option, "")
        is_arm = _OPTIONS.get(option) is CloudKey.ARM
        if text != expected and not (is_arm and _arm(text) == expected):
            yield AzDifference(option, redact_credentials(text), expected)


def surplus(cloud: Cloud, registered: Mapping[str, str]) -> Iterator[AzDifference]:
    """Yield what az has and the cloud has not; a registration leaves it as it is."""
    for option, key in _OPTIONS.items():
        if (text := registered.get(option)) and not cloud[key]:
            yield AzDifference(option, redact_credentials(text), "")


def az_sync(cloud: Cloud, clouds: AzClouds) -> AzSync:
    """Return how a cloud stands in az."""
    known = clouds.registered
    of_arm = (each for each in known if _arm_of(known[each]) == cloud[CloudKey.ARM])
    name = cloud.name if cloud.name in known else next(of_arm, None)
    if name is None:
        return AzSync(AzState.ABSENT)
    found = (*differences(cloud, known[name]), *surplus(cloud, known[name]))
    state = AzState.DIFFERS if found else AzState.SAME
    return AzSync(state, name, name == clouds.in_use, found)


def needs_instance_discovery_off(cloud: Cloud) -> bool:
    """Return whether az needs core.instance_discovery=false: for Entra at a private host."""
    host = urlsplit(cloud[CloudKey.LOGIN_ENDPOINT]).hostname or ""
    entra = cloud.identity_provider is IdentityProvider.ENTRA
    return entra and bool(host) and host not in PUBLIC_LOGIN_HOSTS


def settings_of(options: Mapping[str, str], derived: Mapping[CloudKey, str]) -> dict[str, object]:
    """Return a section as the values of an environment's table.

    `derived` are the values that need not be stored, as the stamp's metadata has them. Raises
    ValueError where the section is not that of a stamp.
    """
    text = options.get("endpoint_resource_manager", "")
    if not text:
        raise ValueError("it has no endpoint_resource_manager")
    arm = parse_arm_url(text)
    of_rule = suffixes(urlsplit(arm).hostname or "")
    known = dict(zip((CloudKey.STORAGE_SUFFIX, CloudKey.KEYVAULT_SUFFIX), of_rule, strict=True))
    own = {
        key.value: options[option]
        for option, key in _OPTIONS.items()
        if key is not CloudKey.ARM
        and options.get(option)
        and options[option] != derived.get(key, known.get(key))
    }
    aliases = own.pop(CloudKey.IMAGE_ALIASES, None)
    values: dict[str, object] = {
        "arm": arm,
        "profile": options.get(PROFILE) or None,
        "subscription": options.get(SUBSCRIPTION) or None,
        "vm_image_aliases": aliases,
        "endpoints": own or None,
    }
    return {key: value for key, value in values.items() if value is not None}


def changes_of(found: Iterable[AzDifference]) -> dict[str, str]:
    """Return az's values by the keys of an environment's table, as `change_environment` takes."""
    keys = {option: setting_of(key) for option, key in _OPTIONS.items()}
    return {keys.get(each.option, each.option): each.registered for each in found}


def _arm_of(options: Mapping[str, str]) -> str:
    return _arm(options.get("endpoint_resource_manager", ""))


def _arm(url: str) -> str:
    try:
        return parse_arm_url(url)
    except ValueError:
        return url
