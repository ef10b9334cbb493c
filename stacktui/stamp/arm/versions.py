"""The api-versions that a build serves, by resource type (the tables of PROTOCOL.md section 3)."""

from __future__ import annotations

from enum import Enum, auto

from stacktui.stamp.arm.errors import CloudError, Code


class Family(Enum):
    """APIs with api-versions of their own."""

    METADATA = auto()
    RESOURCES = auto()
    TAGS = auto()
    SUBSCRIPTIONS = auto()
    OFFERS = auto()
    AUTHORIZATION = auto()
    ROLE_DEFINITIONS = auto()
    LOCKS = auto()
    COMPUTE = auto()
    DISKS = auto()
    NETWORK = auto()
    DNS = auto()
    STORAGE = auto()
    KEY_VAULT = auto()
    IDENTITY = auto()
    WEB = auto()
    UPDATE = auto()
    HEALTH = auto()
    FABRIC = auto()
    BACKUP = auto()
    ADMIN_SUBSCRIPTIONS = auto()


LATEST = "latest"
"""The build of public Azure, and its profile; as text it follows that of every stamp."""

METADATA_OBJECT = ("1.0", "2015-01-01", "2016-01-01")
METADATA_LIST = ("2019-10-01", "2022-09-01")
PUBLIC_METADATA_LIST = ("2018-05-01", "2019-05-01", "2019-10-01", "2020-06-01")
PUBLIC_METADATA_OBJECT = ("2022-09-01",)

SINCE: dict[Family, tuple[tuple[str, tuple[str, ...]], ...]] = {
    Family.METADATA: (("0000", METADATA_OBJECT), ("1910", METADATA_LIST)),
    Family.RESOURCES: (
        ("0000", ("2014-04-01", "2015-01-01", "2015-11-01", "2016-02-01")),
        ("1808", ("2016-09-01", "2017-05-10", "2018-02-01")),
        ("1904", ("2018-05-01",)),
        ("2102", ("2019-10-01",)),
        (LATEST, ("2020-06-01", "2021-01-01", "2021-04-01", "2022-09-01", "2024-03-01")),
    ),
    Family.TAGS: (("2102", ("2019-10-01",)), (LATEST, ("2021-04-01", "2022-09-01"))),
    Family.SUBSCRIPTIONS: (
        ("0000", ("2014-04-01", "2015-01-01", "2015-11-01", "2016-06-01")),
        (LATEST, ("2018-06-01", "2019-11-01", "2020-01-01", "2021-01-01", "2022-12-01")),
    ),
    Family.OFFERS: (("0000", ("2015-11-01",)),),
    Family.AUTHORIZATION: (
        ("0000", ("2014-10-01-preview", "2015-07-01")),
        (LATEST, ("2018-01-01-preview", "2020-04-01-preview", "2022-04-01")),
    ),
    Family.ROLE_DEFINITIONS: (
        ("0000", ("2014-10-01-preview", "2015-07-01")),
        (LATEST, ("2018-01-01-preview", "2022-04-01", "2022-05-01-preview")),
    ),
    Family.LOCKS: (
        ("0000", ("2015-01-01",)),
        ("1808", ("2016-09-01",)),
        (LATEST, ("2017-04-01", "2020-05-01")),
    ),
    Family.COMPUTE: (
        ("0000", ("2015-06-15", "2016-03-30")),
        ("1808", ("2017-03-30",)),
        ("1904", ("2017-12-01",)),
        ("2102", ("2020-06-01",)),
        (LATEST, ("2021-07-01", "2022-11-01", "2023-09-01", "2024-03-01", "2024-07-01")),
    ),
    Family.DISKS: (
        ("1808", ("2017-03-30",)),
        ("2102", ("2019-07-01",)),
        (LATEST, ("2023-04-02", "2024-03-02")),
    ),
    Family.NETWORK: (
        ("0000", ("2015-06-15",)),
        ("1808", ("2017-10-01",)),
        ("2102", ("2018-11-01",)),
        (LATEST, ("2022-01-01", "2022-11-01", "2024-03-01", "2024-05-01")),
    ),
    Family.DNS: (("0000", ("2016-04-01",)), (LATEST, ("2018-05-01",))),
    Family.STORAGE: (
        ("0000", ("2016-01-01",)),
        ("1904", ("2017-10-01",)),
        ("2102", ("2019-06-01",)),
        (LATEST, ("2022-09-01", "2023-05-01", "2024-01-01")),
    ),
    Family.KEY_VAULT: (
        ("0000", ("2016-10-01",)),
        ("2102", ("2019-09-01",)),
        (LATEST, ("2022-07-01", "2023-02-01", "2023-07-01")),
    ),
    Family.IDENTITY: (("0000", ("2018-11-30",)), (LATEST, ("2023-01-31",))),
    Family.WEB: (("0000", ("2016-08-01", "2018-02-01")), (LATEST, ("2024-04-01",))),
    Family.UPDATE: (("0000", ("2016-05-01",)), ("2108", ("2021-07-01",))),
    Family.HEALTH: (("0000", ("2016-05-01",)),),
    Family.FABRIC: (("0000", ("2016-05-01",)), ("2008", ("2020-10-01",))),
    Family.BACKUP: (("0000", ("2018-09-01",)),),
    Family.ADMIN_SUBSCRIPTIONS: (("0000", ("2015-11-01",)),),
}
"""Versions by the build that added them; later builds keep them."""

PROVIDERS: dict[str, dict[str, Family]] = {
    "Microsoft.Authorization": {
        "roleAssignments": Family.AUTHORIZATION,
        "roleDefinitions": Family.ROLE_DEFINITIONS,
        "permissions": Family.AUTHORIZATION,
        "locks": Family.LOCKS,
    },
    "Microsoft.Compute": {
        "virtualMachines": Family.COMPUTE,
        "availabilitySets": Family.COMPUTE,
        "virtualMachineScaleSets": Family.COMPUTE,
        "locations/publishers": Family.COMPUTE,
        "locations/vmSizes": Family.COMPUTE,
        "locations/usages": Family.COMPUTE,
        "disks": Family.DISKS,
    },
    "Microsoft.KeyVault": {"vaults": Family.KEY_VAULT},
    "Microsoft.ManagedIdentity": {"userAssignedIdentities": Family.IDENTITY},
    "Microsoft.Network": {
        "virtualNetworks": Family.NETWORK,
        "networkInterfaces": Family.NETWORK,
        "networkSecurityGroups": Family.NETWORK,
        "loadBalancers": Family.NETWORK,
        "publicIPAddresses": Family.NETWORK,
        "dnsZones": Family.DNS,
    },
    "Microsoft.Resources": {
        "deployments": Family.RESOURCES,
        "resourceGroups": Family.RESOURCES,
        "tags": Family.TAGS,
    },
    "Microsoft.Storage": {"storageAccounts": Family.STORAGE},
    "Microsoft.Subscriptions": {
        "subscriptions": Family.SUBSCRIPTIONS,
        "locations": Family.SUBSCRIPTIONS,
    },
    "Microsoft.Web": {"sites": Family.WEB, "serverFarms": Family.WEB},
}
"""Providers that a subscription lists, and the family of each of their resource types."""

OPERATOR_TYPES = {
    Family.UPDATE: "updateLocations",
    Family.HEALTH: "regionHealths",
    Family.FABRIC: "fabricLocations",
    Family.BACKUP: "backupLocations",
    Family.ADMIN_SUBSCRIPTIONS: "subscriptions",
}
"""Resource types of the operators' providers, which no subscription lists."""

ARM_ITSELF = frozenset(
    {
        Family.METADATA,
        Family.RESOURCES,
        Family.TAGS,
        Family.SUBSCRIPTIONS,
        Family.OFFERS,
        Family.LOCKS,
    }
)
"""Families whose version ARM checks; a provider's own error is another."""


def supported(family: Family, build: str) -> tuple[str, ...]:
    """Return the versions of a family that a build serves, oldest first."""
    if family is Family.METADATA and build == LATEST:
        return METADATA_OBJECT + PUBLIC_METADATA_LIST + PUBLIC_METADATA_OBJECT
    return tuple(
        version for since, versions in SINCE[family] if since <= build for version in versions
    )


def require_version(
    family: Family, build: str, version: str | None, location: str, kind: str = ""
) -> None:
    """Check that the build serves a version; CloudError names the versions that it serves.

    `kind` is the resource type that was asked for, for the message; else one of the family.
    """
    if not version:
        raise CloudError(Code.API_VERSION_MISSING)
    known = supported(family, build)
    if version in known:
        return
    if family not in ARM_ITSELF:
        raise CloudError(
            Code.NO_PROVIDER,
            location=location,
            version=version,
            type=kind or _type_of(family),
            supported=", ".join(known),
        )
    raise CloudError(Code.API_VERSION_INVALID, version=version, supported=",".join(reversed(known)))


def _type_of(family: Family) -> str:
    """Return the first resource type of a provider's family."""
    listed = (pair for kinds in PROVIDERS.values() for pair in kinds.items())
    return OPERATOR_TYPES.get(family) or next(kind for kind, its in listed if its is family)


def family_of(namespace: str, kind: str) -> Family | None:
    """Return the family of a resource type, without case; None when no provider has it."""
    for known, kinds in PROVIDERS.items():
        if known.lower() == namespace.lower():
            for name, family in kinds.items():
                if name.lower() == kind.lower():
                    return family
    return None


def spelling(namespace: str, kind: str) -> str:
    """Return `Microsoft.Compute/virtualMachines` as the provider spells it; as given if unknown."""
    for known, kinds in PROVIDERS.items():
        if known.lower() == namespace.lower():
            return f"{known}/{next((k for k in kinds if k.lower() == kind.lower()), kind)}"
    return f"{namespace}/{kind}"
