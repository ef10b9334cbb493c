"""The api-version of each resource type by profile, as a table (PROTOCOL.md sections 3 and 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stacktui.text.json_fields import items, text

# ARM's codes for an api-version that it does not serve (PROTOCOL.md section 3).
VERSION_CODES = frozenset({"InvalidApiVersionParameter", "NoRegisteredProviderFound"})
SUBSCRIPTIONS, RESOURCES = "Microsoft.Resources/subscriptions", "Microsoft.Resources"
# A namespace stands for those of its types that have no line of their own; `-` where the profile
# has none, so that the stamp's own list decides.
_TABLE = """
profile                            2017-03-09-profile 2018-03-01-hybrid 2019-03-01-hybrid 2020-09-01-hybrid latest
Microsoft.Resources/subscriptions          2016-06-01        2016-06-01        2016-06-01        2016-06-01 2022-12-01
Microsoft.Resources                        2016-02-01        2018-02-01        2018-05-01        2019-10-01 2021-04-01
Microsoft.Subscriptions/offers             2015-11-01        2015-11-01        2015-11-01        2015-11-01 -
Microsoft.Authorization                    2015-07-01        2015-07-01        2015-07-01        2015-07-01 2022-04-01
Microsoft.Authorization/locks              2015-01-01        2016-09-01        2016-09-01        2016-09-01 2020-05-01
Microsoft.Compute                          2016-03-30        2017-03-30        2017-12-01        2020-06-01 2024-07-01
Microsoft.Compute/disks                    -                 2017-03-30        2017-03-30        2019-07-01 -
Microsoft.Network                          2015-06-15        2017-10-01        2017-10-01        2018-11-01 -
Microsoft.Network/dnsZones                 -                 -                 -                 -          -
Microsoft.Storage                          2016-01-01        2016-01-01        2017-10-01        2019-06-01 -
Microsoft.KeyVault                         2016-10-01        2016-10-01        2016-10-01        2019-09-01 -
Microsoft.ManagedIdentity                  -                 -                 -                 -          2018-11-30
"""  # noqa: E501
_HEAD, *_ROWS = (line.split() for line in _TABLE.strip().splitlines())
_VERSIONS = {kind.lower(): dict(zip(_HEAD[1:], versions, strict=True)) for kind, *versions in _ROWS}
# What stands directly below a subscription or at the top, and is of Microsoft.Resources.
_OF_SUBSCRIPTIONS = frozenset({"subscriptions", "tenants", "locations"})
_REGISTRATION = frozenset({"register", "unregister"})
_RELEASED = re.compile(r"\d{4}-\d{2}-\d{2}")
# ARM's list of supported API versions (PROTOCOL.md section 3). A long list is truncated when it
# is read, so its end may be missing.
_SUPPORTED = re.compile(r"supported (?:api-)?versions are '([^']*)")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(?:-preview)?")


def resource_type(path: str) -> str:
    """Return the type of the resource at a path of ARM, such as `Microsoft.Compute/disks`.

    Actions and names are not told apart from types: `_parents` leads from one to its resource's.
    """
    parts = [part for part in path.partition("?")[0].split("/") if part]
    lowered = [part.lower() for part in parts]
    for at in reversed(range(len(parts) - 2)):  # a namespace and a type stand after it
        if lowered[at] == "providers" and lowered[at + 2] not in _REGISTRATION:
            return "/".join((parts[at + 1], *parts[at + 2 :: 2]))
    if lowered[:1] == ["offers"]:
        return "Microsoft.Subscriptions/offers"
    last = lowered[2:] or lowered  # what stands below `/subscriptions/{id}`
    return SUBSCRIPTIONS if last and last[0] in _OF_SUBSCRIPTIONS else RESOURCES


def has_version(path: str) -> bool:
    """Return whether the query of a path names an api-version; ARM compares names without case."""
    names = (each.partition("=")[0].lower() for each in path.partition("?")[2].split("&"))
    return "api-version" in names


def known_version(profile: str, kind: str) -> str | None:
    """Return the api-version that a profile has for a resource type; None where it has none."""
    found = next((_VERSIONS[each] for each in _parents(kind) if each in _VERSIONS), None)
    return None if found is None or found[profile] == "-" else found[profile]


def listed_version(provider: Mapping[str, Any], kind: str) -> str | None:
    """Return the newest api-version of a type that ARM lists for its provider, previews last."""
    rows = {text(each, "resourceType").lower(): each for each in items(provider, "resourceTypes")}
    namespace = kind.partition("/")[0].lower()
    names = [each.removeprefix(f"{namespace}/") for each in _parents(kind)]
    row: object = next((rows[each] for each in names if each in rows), None)
    versions = [each for each in items(row, "apiVersions") if isinstance(each, str)]
    dated = [each for each in versions if _RELEASED.match(each)]
    return max(dated, key=lambda each: (_RELEASED.fullmatch(each) is not None, each), default=None)


def versions_in(message: str) -> tuple[str, ...]:
    """Return the api-versions that ARM's message names as supported, oldest first."""
    found = _SUPPORTED.search(message)
    words = (word.strip() for word in found[1].split(",")) if found else ()
    return tuple(sorted({word for word in words if _VERSION.fullmatch(word)}))


def _parents(kind: str) -> list[str]:
    """Return a type in lower case, then those above it, up to its namespace."""
    parts = kind.lower().split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
