"""What clients say of a resource provider that a subscription may not use yet.

A check uses no provider but ARM's own, so that no rule finds this: only a message shows it.
"""

from __future__ import annotations

from stacktui.diagnosis.fault import FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.message_pattern import arm_code
from stacktui.diagnosis.remedy_template import by_az, for_both

_REGISTER = for_both(
    "Register the provider once for the subscription, and wait until it is registered",
    "stacktui providers register {namespace}{asked}",
    asked=" --environment NAME",
)
_LIST = for_both(
    "See which providers there are, and which are registered",
    "stacktui providers list{asked}",
    asked=" --environment NAME",
)
_BY_AZ = by_az("The same with az", "az provider register --namespace {namespace} --wait")

PROVIDER_NOT_REGISTERED = FaultInfo(
    id="provider-not-registered",
    group=Group.ADVISORY,
    sides=(Side.STAMP,),
    meaning="The subscription is not registered to use a resource provider.",
    distinguishing_evidence=(
        "409 MissingSubscriptionRegistration, which names the provider: the connection is well. "
        "Who may not register it gets `arm-forbidden`."
    ),
    az_says=(
        "(MissingSubscriptionRegistration) The subscription is not registered to use namespace "
        "'Microsoft.…'."
    ),
    patterns={arm_code("MissingSubscriptionRegistration", r"not registered to use namespace"): 95},
    remedies=(_REGISTER, _LIST, _BY_AZ),
)
