"""The api-versions that a build serves (the table of PROTOCOL.md section 3)."""

from __future__ import annotations

from enum import Enum, auto

from stacktui.stamp.arm.errors import CloudError, Code


class Family(Enum):
    """API families with api-versions of their own."""

    METADATA = auto()
    RESOURCES = auto()
    SUBSCRIPTIONS = auto()
    AUTHORIZATION = auto()
    UPDATE = auto()
    HEALTH = auto()


_OLD_RESOURCES = ("2014-04-01", "2015-01-01", "2015-11-01", "2016-02-01")

RESOURCES_SINCE = (
    ("0000", _OLD_RESOURCES),
    ("1808", ("2016-09-01", "2017-05-10", "2018-02-01")),
    ("1904", ("2018-05-01",)),
    ("2102", ("2019-10-01",)),
)
"""Versions by the build that added them; later builds keep them."""

METADATA_OBJECT = ("1.0", "2015-01-01", "2016-01-01")
METADATA_LIST = ("2019-10-01", "2022-09-01")
METADATA_LIST_SINCE = "1910"

FIXED = {
    Family.SUBSCRIPTIONS: ("2014-04-01", "2015-01-01", "2015-11-01", "2016-06-01"),
    Family.AUTHORIZATION: ("2014-10-01-preview", "2015-07-01"),
    Family.HEALTH: ("2016-05-01",),
}

UPDATE_SINCE = (("0000", ("2016-05-01",)), ("2108", ("2021-07-01",)))

PROVIDER_TYPES = {
    Family.AUTHORIZATION: "roleAssignments",
    Family.UPDATE: "updateLocations",
    Family.HEALTH: "regionHealths",
}
"""Resource types of providers' own APIs, whose version error differs from ARM's."""


def supported(family: Family, build: str) -> tuple[str, ...]:
    """Return the versions of a family that a build serves, oldest first."""
    match family:
        case Family.RESOURCES | Family.UPDATE:
            table = RESOURCES_SINCE if family is Family.RESOURCES else UPDATE_SINCE
            return tuple(
                version for since, versions in table if since <= build for version in versions
            )
        case Family.METADATA:
            newer = METADATA_LIST if build >= METADATA_LIST_SINCE else ()
            return METADATA_OBJECT + newer
        case _:
            return FIXED[family]


def require_version(family: Family, build: str, version: str | None, location: str) -> None:
    """Check that the build serves a version; CloudError names the versions that it serves."""
    if not version:
        raise CloudError(Code.API_VERSION_MISSING)
    known = supported(family, build)
    if version in known:
        return
    if family in PROVIDER_TYPES:
        raise CloudError(
            Code.NO_PROVIDER,
            location=location,
            version=version,
            type=PROVIDER_TYPES[family],
            supported=", ".join(known),
        )
    raise CloudError(Code.API_VERSION_INVALID, version=version, supported=",".join(reversed(known)))
