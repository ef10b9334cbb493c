"""ARM has no subscription to read, or not in the API version that was asked for."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import set_value
from stacktui.diagnosis.shell import for_az
from stacktui.diagnosis.words import fault_lines
from stacktui.environments.metadata import Metadata
from stacktui.environments.profiles import PROFILES, Profile
from stacktui.resources.model import ArmFault, ArmProblem, Subscription

# An operator sees many; nobody reads a longer list.
_SHOWN = 12
_NOT_FOUND = "SubscriptionNotFound"
_DISABLED = "DisabledSubscription"
# ARM's codes for an API version that it does not serve, and how it lists those that it does
# (PROTOCOL.md section 3). A long list is cut when it is read: it may have no end.
_VERSION_CODES = frozenset({"InvalidApiVersionParameter", "NoRegisteredProviderFound"})
_SUPPORTED = re.compile(r"supported (?:api-)?versions are '([^']*)")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(?:-preview)?")


def _arm(case: FailureContext) -> ArmFault | None:
    return case.fault if isinstance(case.fault, ArmFault) else None


def _refused_as(fault: ArmFault | None, code: str) -> bool:
    refused = fault is not None and fault.problem is ArmProblem.REFUSED
    return refused and fault is not None and fault.code == code and 400 <= fault.status < 500


def _seen_lines(seen: tuple[Subscription, ...] | None) -> list[str]:
    if seen is None:
        return ["which subscriptions this identity sees could not be told"]
    if not seen:
        return ["this identity sees no subscription at all"]
    lines = [f"this identity sees {each.id} ({each.name}, {each.state})" for each in seen[:_SHOWN]]
    more = len(seen) - _SHOWN
    return lines + ([f"and {more} more subscriptions"] if more > 0 else [])


def _use_another(case: FailureContext, fault: ArmFault) -> Remedy | None:
    """Name an enabled one that is seen, if there is one."""
    usable = next((each for each in fault.seen or () if each.enabled), None)
    if usable is None:
        return None
    title = f"Name a subscription that this identity can use: {usable.name or usable.id}"
    return set_value(case, title, "subscription", usable.id)


@rule("no-subscriptions", Side.STAMP, "No subscriptions found for ….")
def no_subscriptions(case: FailureContext) -> Explained | None:
    fault = _arm(case)
    if fault is None or not _sees_none(fault):
        return None
    who = (case.identity and case.identity.principal) or "this identity"
    results = (step.evidence.result for step in case.report.steps)
    metadata = next((each for each in results if isinstance(each, Metadata)), None)
    portal = metadata.portal if metadata and metadata.portal else "the stamp's portal"
    evidence = (f"signed in as {who}", "ARM lists no subscription for it", *fault_lines(fault))
    remedies = (
        Remedy(
            f"The owner of a subscription grants Reader to {who}: in {portal}, the "
            "subscription, Access control (IAM)"
        ),
        Remedy(f"If there is no subscription yet: a user takes one from an offer in {portal}"),
    )
    return "Signed in, but this identity sees no subscription", evidence, remedies


def _sees_none(fault: ArmFault) -> bool:
    """Whether the list of all subscriptions came, and was empty."""
    if fault.problem is ArmProblem.NO_SUBSCRIPTIONS:
        return True
    return _refused_as(fault, _NOT_FOUND) and fault.seen == ()


@rule(
    "subscription-not-found",
    Side.STAMP,
    "(SubscriptionNotFound) The subscription '…' could not be found.",
)
def subscription_not_found(case: FailureContext) -> Explained | None:
    fault = _arm(case)
    if fault is None or not _refused_as(fault, _NOT_FOUND) or _sees_none(fault):
        return None
    asked = case.environment.subscription
    evidence = [f"subscription under {case.section}: {asked}"] if asked else []
    evidence += [*_seen_lines(fault.seen), *fault_lines(fault)]
    remedies = [each for each in (_use_another(case, fault),) if each]
    if remedies and asked:
        title = "Or name none: then the first enabled one is read"
        remedies.append(set_value(case, title, "subscription", ""))
    if not remedies:
        remedies.append(
            Remedy(
                "An owner of the subscription grants this identity Reader on it, or check its id "
                f"under {case.section}"
            )
        )
    title = f"This identity finds no subscription {asked}" if asked else "The subscription is gone"
    return title, tuple(evidence), tuple(remedies)


@rule(
    "subscription-disabled",
    Side.STAMP,
    "(DisabledSubscription) The subscription '…' is disabled. …",
)
def subscription_disabled(case: FailureContext) -> Explained | None:
    fault = _arm(case)
    if fault is None:
        return None
    none_enabled = fault.problem is ArmProblem.NO_ENABLED_SUBSCRIPTION
    if not none_enabled and not _refused_as(fault, _DISABLED):
        return None
    evidence = (
        fault_lines(fault) if none_enabled else [*_seen_lines(fault.seen), *fault_lines(fault)]
    )
    title = "No subscription that this identity sees is enabled"
    if not none_enabled:
        title = f"The subscription {case.environment.subscription or 'that was read'} is disabled"
    operator = Remedy(
        "The stamp's operator enables it again: in the administrator portal, User subscriptions"
    )
    other = _use_another(case, fault)
    return title, tuple(evidence), (other, operator) if other else (operator,)


@rule(
    "api-version-unsupported",
    Side.BOX,
    "(InvalidApiVersionParameter) The api-version '…' is invalid. The supported versions are '…'. "
    "/ (NoRegisteredProviderFound) …",
)
def api_version_unsupported(case: FailureContext) -> Explained | None:
    fault = _arm(case)
    code = next((each for each in _VERSION_CODES if _refused_as(fault, each)), None)
    if fault is None or code is None:
        return None
    supported = _supported(fault.message)
    profile = case.environment.profile
    asked = _asked_version(case)
    evidence = [f"profile under {case.section}: {profile}"]
    evidence += [f"it asks for api-version {asked}"] if asked else []
    evidence += [f"the stamp names: {', '.join(supported)}"] if supported else []
    fits = _fitting(supported, fault.what, profile)
    if fits:
        evidence.append(f"{fits.name} fits, the profile for builds {fits.builds}")
    title = f"The stamp does not speak the API versions of the profile {profile}"
    return title, (*evidence, *fault_lines(fault)), _profile_remedies(case, fits)


def _supported(message: str) -> tuple[str, ...]:
    found = _SUPPORTED.search(message)
    words = (word.strip() for word in found[1].split(",")) if found else ()
    return tuple(sorted({word for word in words if _VERSION.fullmatch(word)}))


def _asked_version(case: FailureContext) -> str | None:
    try:
        query = parse_qs(urlsplit(case.last.url).query) if case.last else {}
    except ValueError:  # a later page's address is the server's own
        return None
    return next(iter(query.get("api-version", ())), None)


def _fitting(supported: tuple[str, ...], what: str, current: str) -> Profile | None:
    """The newest profile whose version is among those that the stamp names."""

    def version(profile: Profile) -> str:
        return profile.subscriptions if what == "the subscriptions" else profile.resources

    others = (each for each in reversed(PROFILES.values()) if each.name != current)
    return next((each for each in others if version(each) in supported), None)


def _profile_remedies(case: FailureContext, fits: Profile | None) -> tuple[Remedy, ...]:
    if fits is None:
        known = ", ".join(f"{each.name} ({each.builds})" for each in PROFILES.values())
        title = f"Set profile under {case.section} to the one of the stamp's build: {known}"
        return (Remedy(title),)
    return (
        set_value(case, f"Use the profile that fits this stamp: {fits.name}", "profile", fits.name),
        Remedy(
            "And the same for az, where the stamp is its active cloud",
            *for_az(lambda quote: f"az cloud update --profile {quote(fits.name)}"),
        ),
    )


RULES: tuple[Rule[FailureContext], ...] = (
    api_version_unsupported,
    no_subscriptions,
    subscription_not_found,
    subscription_disabled,
)
