"""What other clients need to know of a cloud, and where each value comes from.

`az` calls these the endpoints and suffixes of a cloud (PROTOCOL.md sections 1 and 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from stacktui.environments.metadata import IdentityProvider, Metadata, provider_of
from stacktui.environments.model import CloudKey, Environment


class Origin(StrEnum):
    """Where a value comes from."""

    METADATA = "metadata"
    NAMING_RULE = "naming rule"
    SETTING = "you"


# What each value is called on screen.
LABELS = {
    CloudKey.ARM: "ARM",
    CloudKey.LOGIN_ENDPOINT: "login",
    CloudKey.AUDIENCE: "audience",
    CloudKey.GRAPH: "graph",
    CloudKey.GALLERY: "gallery",
    CloudKey.PORTAL: "portal",
    CloudKey.STORAGE_SUFFIX: "storage",
    CloudKey.KEYVAULT_SUFFIX: "key vault",
    CloudKey.IMAGE_ALIASES: "image aliases",
}


@dataclass(frozen=True, slots=True)
class CloudValue:
    """One value of a cloud, byte for byte as other clients must be given it."""

    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud as other clients know it. `values` lack what is not known.

    `tenant` is the metadata's own; an identity may have another.
    """

    name: str
    profile: str
    identity_provider: IdentityProvider
    values: Mapping[CloudKey, CloudValue]
    tenant: str = ""
    subscription: str = ""

    def __getitem__(self, key: CloudKey) -> str:
        """Return the text of a value; empty where it is not known."""
        return self.values[key].text if key in self.values else ""


def cloud_of(environment: Environment, metadata: Metadata) -> Cloud:
    """Return the cloud of an environment, whose own values come before those of the metadata."""
    own = environment.own_values
    login, vault = own.get(CloudKey.LOGIN_ENDPOINT), metadata.keyvault_suffix
    texts: dict[CloudKey, str | None] = {
        CloudKey.ARM: environment.arm,
        CloudKey.LOGIN_ENDPOINT: metadata.login_as_given or metadata.login_endpoint,
        CloudKey.AUDIENCE: metadata.audience,
        CloudKey.GRAPH: metadata.graph,
        CloudKey.GALLERY: metadata.gallery,
        CloudKey.PORTAL: metadata.portal,
        CloudKey.STORAGE_SUFFIX: metadata.storage_suffix,
        # As the documents have it; the newer shape of the metadata has no dot.
        CloudKey.KEYVAULT_SUFFIX: vault and f".{vault.lstrip('.')}",
        **own,
    }

    def origin(key: CloudKey) -> Origin:
        if key in own or key is CloudKey.ARM:
            return Origin.SETTING
        return Origin.NAMING_RULE if key in metadata.derived else Origin.METADATA

    return Cloud(
        environment.name,
        environment.profile,
        provider_of(login, declared=metadata.identity_provider)
        if login
        else metadata.identity_provider,
        {key: CloudValue(text, origin(key)) for key, text in texts.items() if text},
        metadata.tenant or "",
        environment.subscription or "",
    )


def own_cloud(environment: Environment) -> Cloud:
    """Return what the config alone says of a cloud, whose stamp has not been asked."""
    own = environment.own_values
    login = own.get(CloudKey.LOGIN_ENDPOINT, "")
    texts = {CloudKey.ARM: environment.arm, **own}
    return Cloud(
        environment.name,
        environment.profile,
        provider_of(login),
        {key: CloudValue(text, Origin.SETTING) for key, text in texts.items()},
        subscription=environment.subscription or "",
    )
