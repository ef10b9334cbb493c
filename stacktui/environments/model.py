"""An environment: one ARM endpoint of one stamp, and how to reach it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv6Address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from stacktui.environments.profiles import DEFAULT_PROFILE
from stacktui.transport.limits import Limits

# Names as DNS carries them (RFC 1123 section 2.1), with the underscore that some sites use.
# Several schemes; the last is kept.
_SCHEMES = re.compile(r"^\s*(?:https?:?/+)+(https?://)", re.IGNORECASE)
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_][a-z0-9._-]*")


class CloudKey(StrEnum):
    """The values of a cloud that other clients need too; the config has them by these names."""

    ARM = "arm"
    LOGIN_ENDPOINT = "login_endpoint"
    AUDIENCE = "audience"
    GRAPH = "graph"
    GALLERY = "gallery"
    PORTAL = "portal"
    STORAGE_SUFFIX = "storage_suffix"
    KEYVAULT_SUFFIX = "keyvault_suffix"
    # The document of VM image aliases; no metadata names it.
    IMAGE_ALIASES = "image_aliases"


# The values that have a key of their own in an environment's table.
_OWN_KEYS = {CloudKey.ARM: "arm", CloudKey.IMAGE_ALIASES: "vm_image_aliases"}
# Those that a sub-table `endpoints` may set, in place of what the metadata says.
OVERRIDES = tuple(each for each in CloudKey if each not in _OWN_KEYS)


def setting_of(key: CloudKey) -> str:
    """Return the key of an environment's table that sets a value, with a dot for a sub-table."""
    return _OWN_KEYS.get(key, f"endpoints.{key}")


@dataclass(frozen=True, slots=True)
class Environment:
    """One `[environments.NAME]` table of the config. Only `name` and `arm` are needed.

    `arm` is `https://host[:port]` without a trailing slash. `identity` names an identity.
    `subscription` is an id; without one the first enabled subscription is used. `ca` is trusted in
    addition to the base store. `proxy` is a URL, or `none` for a direct connection. `resolve` maps
    `host:port` to the `address:port` to connect to instead; `*.rest:port` matches every name with
    one label before `rest`. `limits` bound what a check waits for and reads. `endpoints` replace
    what the metadata says, by key. `vm_image_aliases` is the URL of the document of VM image
    aliases; `http:` is taken too, as az takes it: the document is public, and no token goes there.
    """

    name: str
    arm: str
    profile: str = DEFAULT_PROFILE
    identity: str | None = None
    subscription: str | None = None
    ca: Path | None = None
    proxy: str | None = None
    resolve: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    endpoints: Mapping[CloudKey, str] = field(default_factory=dict)
    vm_image_aliases: str | None = None

    @property
    def own_values(self) -> Mapping[CloudKey, str]:
        """The values of the cloud that its settings have, in place of the metadata's."""
        aliases = self.vm_image_aliases
        return {**self.endpoints, **({CloudKey.IMAGE_ALIASES: aliases} if aliases else {})}


def with_one_scheme(text: str) -> str:
    """Return a URL that was pasted behind a scheme (`https://https://host`) with its own alone."""
    return _SCHEMES.sub(r"\1", text)


def parse_arm_url(text: str) -> str:
    """Return `text` as `https://host[:port]`, host in lower-case ASCII, no trailing slash.

    Raises ValueError, which says what is wrong and, where that is clear, what was meant.
    """
    text = text.strip()
    if (once := with_one_scheme(text)) != text:
        raise ValueError(f"must begin with https:// once; try {parse_arm_url(once)}")
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        host = text.split("://")[-1].split("/")[0].rpartition("@")[2]
        meant = f"https://{host or 'management.<region>.<fqdn>'}"
        raise ValueError(f"must be https://host[:port]; try {meant}")
    usual = 443 if parts.scheme == "https" else 80
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    meant = f"https://{_host(parts.hostname)}{port}"
    if parts.scheme != "https":
        raise ValueError(f"must be https, not http; try {meant}")
    if "@" in parts.netloc:
        raise ValueError(f"must not hold a user name; try {meant}")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"must be the host alone, without a path; try {meant}")
    return meant


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        if parts.port == 0:  # asking raises on a port that is no number or out of range
            raise ValueError("no port 0")
    except ValueError:
        # Python's message may quote the user name and password.
        raise ValueError("must be https://host[:port], with a port from 1 to 65535") from None
    if any(char.isspace() or not char.isprintable() for char in text):
        raise ValueError("must be https://host[:port], without blanks or control characters")
    return parts


def _host(host: str) -> str:
    """Return the host as it goes into a URL. Raises ValueError for one that cannot exist."""
    try:
        if ":" in host:
            return f"[{IPv6Address(host)}]"
        encoded = host.encode("idna").decode().lower()
    except ValueError:
        encoded = ""
    if not _HOST.fullmatch(encoded):
        raise ValueError("holds a host name that cannot exist")
    return encoded
