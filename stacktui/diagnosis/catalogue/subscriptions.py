"""Faults of the subscription and of the API version that were requested."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.catalogue.arm_refusals import GRANT_ROLE, fill_grant, object_id
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.message_pattern import MessagePattern, arm_code
from stacktui.diagnosis.messages.arm import (
    INVALID_API_VERSION,
    INVALID_PROFILE,
    NO_REGISTERED_PROVIDER,
)
from stacktui.diagnosis.remedies import fill_setting, setting
from stacktui.diagnosis.remedy_template import RemedyTemplate, for_both
from stacktui.environments.profiles import PROFILES, Profile
from stacktui.resources.api_versions import RESOURCES, SUBSCRIPTIONS, known_version, versions_in
from stacktui.resources.model import ArmFault, ArmProblem, Subscription
from stacktui.resources.role_paths import READER

# An operator sees many; more are counted only.
_SHOWN = 12
_NOT_FOUND = arm_code(
    "SubscriptionNotFound",
    r"subscription .{1,60}could not be found|subscription of .{1,60}doesn.t exist"
    r"|valid tenant or a valid subscription",
    whole=True,
)
_INVALID_ID = arm_code("InvalidSubscriptionId")
_DISABLED = arm_code("DisabledSubscription", r"subscription .{1,60}is disabled")

_USE_ANOTHER = setting("Name a subscription that this identity can use: {id}", "subscription", "ID")


def _refused_as(failure: FailureContext, *patterns: MessagePattern) -> ArmFault | None:
    """Return ARM's refusal if it is a 4xx with the code of one of `patterns`, else None."""
    fault = failure.arm(ArmProblem.REFUSED)
    if fault is None or not 400 <= fault.status < 500:
        return None
    return fault if fault.code in {each.code for each in patterns} else None


def _subscription_lines(seen: tuple[Subscription, ...] | None) -> list[str]:
    if seen is None:
        return ["which subscriptions this identity sees could not be read"]
    if not seen:
        return ["this identity sees no subscription at all"]
    lines = [f"this identity sees {each.id} ({each.name}, {each.state})" for each in seen[:_SHOWN]]
    more = len(seen) - _SHOWN
    return lines + ([f"and {more} more subscriptions"] if more > 0 else [])


def _use_another(failure: FailureContext, fault: ArmFault) -> tuple[Remedy, ...]:
    """Return how to use an enabled subscription that the identity sees; empty if none."""
    usable = next((each for each in fault.seen or () if each.enabled), None)
    if usable is None:
        return ()
    known_as = usable.name or usable.id
    return (fill_setting(_USE_ANOTHER, failure, "subscription", usable.id, id=known_as),)


# api-version-unsupported

_USE_PROFILE = setting("Use the profile that fits this stamp: {profile}", "profile", "PROFILE")
# Filled only with names of `PROFILES`, which cmd.exe does not change (`shell.for_az`).
_USE_PROFILE_IN_AZ = for_both(
    "And the same for az, where the stamp is its active cloud",
    "az cloud update --profile {profile}",
)
_PROFILES = ", ".join(f"{each.name} ({each.builds})" for each in PROFILES.values())
_CHOOSE_PROFILE = RemedyTemplate(
    f"Set profile under {{section}} to the one of the stamp's build: {_PROFILES}"
)


def _api_version_unsupported(failure: FailureContext) -> Explanation | None:
    fault = _refused_as(failure, INVALID_API_VERSION, NO_REGISTERED_PROVIDER)
    if fault is None:
        return None
    supported = versions_in(fault.message)
    profile = failure.environment.profile
    asked = _asked_version(failure)
    evidence = [f"profile under {failure.section}: {profile}"]
    evidence += [f"it asks for api-version {asked}"] if asked else []
    evidence += [f"the stamp names: {', '.join(supported)}"] if supported else []
    fitting = _supported_profile(supported, fault.what, profile)
    if fitting:
        evidence.append(f"{fitting.name} fits, the profile for builds {fitting.builds}")
    title = f"The stamp does not speak the API versions of the profile {profile}"
    evidence += fault_lines(fault)
    return Explanation(title, tuple(evidence), _use_profile(failure, fitting))


def _asked_version(failure: FailureContext) -> str | None:
    try:
        query = parse_qs(urlsplit(failure.last.url).query) if failure.last else {}
    except ValueError:  # the URL of a later page comes from the server
        return None
    return next(iter(query.get("api-version", ())), None)


def _supported_profile(supported: tuple[str, ...], what: str, current: str) -> Profile | None:
    """Return the newest profile whose version the stamp supports, else None."""
    kind = SUBSCRIPTIONS if what == "the subscriptions" else RESOURCES
    others = (each for each in reversed(PROFILES.values()) if each.name != current)
    return next((each for each in others if known_version(each.name, kind) in supported), None)


def _use_profile(failure: FailureContext, fitting: Profile | None) -> tuple[Remedy, ...]:
    if fitting is None:
        return (_CHOOSE_PROFILE.fill(section=failure.section),)
    name = fitting.name
    return (
        fill_setting(_USE_PROFILE, failure, "profile", name, profile=name),
        _USE_PROFILE_IN_AZ.fill(profile=name),
    )


API_VERSION_UNSUPPORTED = FaultInfo(
    id="api-version-unsupported",
    group=Group.RESOURCES,
    sides=(Side.BOX,),
    meaning="The profile is newer or older than the stamp.",
    distinguishing_evidence=(
        "400, and ARM lists the versions that it serves: the report names the profile that fits. "
        "An az from 2.73 on asks so whatever the profile: `az-too-new`. For the metadata the "
        "same is `metadata-api-version`."
    ),
    az_says=(
        "(InvalidApiVersionParameter) The api-version '…' is invalid. The supported versions are "
        "'…'. / (NoRegisteredProviderFound) …"
    ),
    patterns={INVALID_API_VERSION: 88, NO_REGISTERED_PROVIDER: 88, INVALID_PROFILE: 60},
    remedies=(_USE_PROFILE, _USE_PROFILE_IN_AZ, _CHOOSE_PROFILE),
    rules=(_api_version_unsupported,),
)


# no-subscriptions

_GRANT_IN_PORTAL = RemedyTemplate(
    "The owner of a subscription grants Reader to {who}: in {portal}, the subscription, Access "
    "control (IAM)",
    shown={"who": "the identity", "portal": "the stamp's portal"},
)
_TAKE_OFFER = RemedyTemplate(
    "If there is no subscription yet: a user takes one from an offer in {portal}",
    shown={"portal": "the stamp's portal"},
)


def _no_subscriptions(failure: FailureContext) -> Explanation | None:
    fault = _sees_no_subscription(failure)
    if fault is None:
        return None
    who = (failure.identity and failure.identity.principal) or "this identity"
    portal = failure.portal
    evidence = (f"signed in as {who}", "ARM lists no subscription for it", *fault_lines(fault))
    remedies = [_GRANT_IN_PORTAL.fill(who=who, portal=portal), _TAKE_OFFER.fill(portal=portal)]
    asked, principal = failure.environment.subscription, object_id(failure)
    if asked and principal:
        remedies.insert(0, fill_grant(failure, READER, f"/subscriptions/{asked}", principal))
    title = "Signed in, but this identity sees no subscription"
    return Explanation(title, evidence, tuple(remedies))


def _sees_no_subscription(failure: FailureContext) -> ArmFault | None:
    """Return the fault if the list of all subscriptions was empty, else None."""
    if fault := failure.arm(ArmProblem.NO_SUBSCRIPTIONS):
        return fault
    fault = _refused_as(failure, _NOT_FOUND)
    return fault if fault and fault.seen == () else None


NO_SUBSCRIPTIONS = FaultInfo(
    id="no-subscriptions",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="Signed in, but this identity sees no subscription.",
    distinguishing_evidence=(
        "The list came, and was empty. One that is named and not among those seen is "
        "`subscription-not-found`."
    ),
    az_says="No subscriptions found for ….",
    patterns={
        MessagePattern(
            "no subscription",
            r"no subscriptions? (?:were )?found|subscription id could not be determined"
            r"|tenant level account|client\.subscriptionid'? cannot be null",
        ): 92,
    },
    remedies=(GRANT_ROLE, _GRANT_IN_PORTAL, _TAKE_OFFER),
    rules=(_no_subscriptions,),
)


# subscription-not-found

_NAME_NONE = setting("Or name none: then the first enabled one is read", "subscription", "")
_GRANT_OR_CHECK_ID = RemedyTemplate(
    "An owner of the subscription grants this identity Reader on it, or check its id under "
    "{section}"
)


def _subscription_not_found(failure: FailureContext) -> Explanation | None:
    fault = _refused_as(failure, _NOT_FOUND, _INVALID_ID)
    if fault is None or _sees_no_subscription(failure):
        return None
    asked = failure.environment.subscription
    evidence = [f"subscription under {failure.section}: {asked}"] if asked else []
    evidence += [*_subscription_lines(fault.seen), *fault_lines(fault)]
    remedies = _use_another(failure, fault)
    if remedies and asked:
        remedies += (fill_setting(_NAME_NONE, failure, "subscription", ""),)
    if not remedies:
        remedies = (_GRANT_OR_CHECK_ID.fill(section=failure.section),)
    title = f"This identity finds no subscription {asked}" if asked else "The subscription is gone"
    return Explanation(title, tuple(evidence), remedies)


SUBSCRIPTION_NOT_FOUND = FaultInfo(
    id="subscription-not-found",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="The subscription is not among those that this identity sees.",
    distinguishing_evidence=(
        "The report lists the ids that it does see; where there are none at all, it is "
        "`no-subscriptions`."
    ),
    az_says="(SubscriptionNotFound) The subscription '…' could not be found.",
    patterns={_NOT_FOUND: 92, _INVALID_ID: 86},
    remedies=(_USE_ANOTHER, _NAME_NONE, _GRANT_OR_CHECK_ID),
    rules=(_subscription_not_found,),
)


# subscription-disabled

_ENABLE = RemedyTemplate(
    "The stamp's operator enables it again: in the administrator portal, User subscriptions"
)


def _subscription_disabled(failure: FailureContext) -> Explanation | None:
    if fault := failure.arm(ArmProblem.NO_ENABLED_SUBSCRIPTION):
        evidence = fault_lines(fault)
        title = "No subscription that this identity sees is enabled"
    elif fault := _refused_as(failure, _DISABLED):
        evidence = [*_subscription_lines(fault.seen), *fault_lines(fault)]
        title = (
            f"The subscription {failure.environment.subscription or 'that was read'} is disabled"
        )
    else:
        return None
    return Explanation(title, tuple(evidence), (*_use_another(failure, fault), _ENABLE.fill()))


SUBSCRIPTION_DISABLED = FaultInfo(
    id="subscription-disabled",
    group=Group.RESOURCES,
    sides=(Side.STAMP,),
    meaning="The subscription is disabled.",
    distinguishing_evidence=(
        "ARM says so, or every one that is seen has another state than Enabled. It is there, "
        "unlike in `subscription-not-found`."
    ),
    az_says="(DisabledSubscription) The subscription '…' is disabled. …",
    patterns={_DISABLED: 92},
    remedies=(_USE_ANOTHER, _ENABLE),
    rules=(_subscription_disabled,),
)

FAULTS = (API_VERSION_UNSUPPORTED, NO_SUBSCRIPTIONS, SUBSCRIPTION_NOT_FOUND, SUBSCRIPTION_DISABLED)
