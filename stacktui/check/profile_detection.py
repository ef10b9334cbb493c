"""The newest profile that a stamp accepts, found by read-only requests (PROTOCOL.md section 3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from stacktui.check.steps.operator_health import update_location
from stacktui.check.target import CheckTarget
from stacktui.environments.model import Environment
from stacktui.environments.naming import is_operator_endpoint
from stacktui.environments.profiles import OF_STAMPS, PUBLIC_PROFILE, profile_of_build
from stacktui.environments.public_resources import is_public_arm
from stacktui.identities.token import ADFS_HOTFIX, TokenFacts
from stacktui.resources.api_versions import RESOURCES, VERSION_CODES, known_version, versions_in
from stacktui.resources.client import ArmClient
from stacktui.resources.listing import list_rows
from stacktui.resources.model import ArmError, Provider
from stacktui.resources.providers import read_provider
from stacktui.resources.subscriptions import first_enabled_subscription, subscription_path

_WHAT = "the resource providers"
# Types that the vendor's samples need, whose provider has api-versions of its own.
_SAMPLES = (
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.KeyVault/vaults",
)


@dataclass(frozen=True, slots=True)
class DetectedProfile:
    """The newest profile that the stamp accepts, and what shows it, a line each.

    `build` is the stamp's, where an operator's identity could read it; else empty.
    """

    profile: str
    evidence: tuple[str, ...]
    build: str = ""


def to_detect(target: CheckTarget) -> CheckTarget:
    """Return the target with the oldest profile, so that every stamp accepts what is asked."""
    environment = target.environment
    if is_public_arm(urlsplit(environment.arm).hostname or ""):
        return target
    return replace(target, environment=replace(environment, profile=OF_STAMPS[-1].name))


async def detect_profile(client: ArmClient, environment: Environment) -> DetectedProfile:
    """Ask ARM which profile fits. Reads only. Raises ArmError, and what signing in raises."""
    host = urlsplit(environment.arm).hostname or ""
    if is_public_arm(host):
        return DetectedProfile(PUBLIC_PROFILE, (f"{host} is no stamp, but a public cloud",))
    evidence = list(_of_sign_in(await client.token_facts()))
    subscription = environment.subscription or await first_enabled_subscription(client)
    build = ""
    if is_operator_endpoint(environment.arm):
        build, told = await _build(client, environment, subscription)
        evidence.append(told)
    profile, providers = await _accepted(client, subscription, evidence)
    evidence += _listed(profile, providers)
    return DetectedProfile(profile, tuple(evidence), build)


def _of_sign_in(facts: TokenFacts) -> Iterator[str]:
    if facts.is_of_old_adfs:
        yield f"AD FS refuses /.default, but not /openid: the build is older than {ADFS_HOTFIX}"


async def _build(client: ArmClient, environment: Environment, subscription: str) -> tuple[str, str]:
    """Return the build, empty where it cannot be read, and what to say of it."""
    try:
        _, _, found = await update_location(client, environment, subscription)
    except ArmError as error:
        return "", f"the build cannot be read with this identity: {error}"
    build = client.text(found, "properties", "currentVersion")
    profile = profile_of_build(build)
    fits = f", for which {profile.name} is" if profile else ""
    return build, f"the build is {build or 'not named'}{fits}"


async def _accepted(
    client: ArmClient, subscription: str, evidence: list[str]
) -> tuple[str, tuple[Provider, ...]]:
    """Return the newest profile whose api-version ARM takes, and the providers that it lists.

    Each request's outcome is added to `evidence`. A refusal names the versions to go on with.
    """
    path = f"{subscription_path(client, subscription, _WHAT)}/providers"
    read = partial(read_provider, client)
    named: tuple[str, ...] = ()
    refusal: ArmError | None = None
    for profile in OF_STAMPS:
        version = known_version(profile.name, RESOURCES)
        if version is None or (named and version not in named):
            continue
        try:
            found = await list_rows(client, path, read, version, what=_WHAT)
        except ArmError as error:
            if error.fault.code not in VERSION_CODES:
                raise
            refusal, named = error, versions_in(error.fault.message) or named
            names = f"; the stamp names {', '.join(named)}" if named else ""
            evidence.append(f"{profile.name}: ARM refuses api-version {version}{names}")
            continue
        evidence.append(f"{profile.name}: ARM takes api-version {version}")
        return profile.name, found.rows
    if refusal is None:
        raise AssertionError("every profile of a stamp has a version of resources")
    raise refusal


def _listed(profile: str, providers: Iterable[Provider]) -> Iterator[str]:
    """Yield for each sample type whether its provider lists the profile's api-version."""
    versions = {
        f"{each.namespace}/{kind.name}".lower(): kind.api_versions
        for each in providers
        for kind in each.types
    }
    for kind in _SAMPLES:
        wanted, listed = known_version(profile, kind), versions.get(kind.lower())
        if wanted and listed:
            yield f"{kind} {'lists' if wanted in listed else 'does not list'} {wanted}"
