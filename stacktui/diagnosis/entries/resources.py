"""Faults of ARM, once somebody is signed in."""

from __future__ import annotations

from stacktui.diagnosis.entries.model import AGAIN, Entry, Group, same
from stacktui.diagnosis.finding import Remedy, Side

_OPERATOR = Remedy(
    "If it stays so, give the stamp's operator the time and the request ids of the report"
)
_SUBSCRIPTION = same(
    "Name a subscription that this identity sees; the report lists them",
    "stacktui environments set NAME subscription=ID",
)

RESOURCES = (
    Entry(
        "arm-unauthorized",
        Group.RESOURCES,
        (Side.SIGN_IN,),
        "ARM does not take the token (401).",
        "ARM's code says whether it is the audience, the tenant or the end; the report puts the "
        "token's claims beside the metadata's values. What the token itself shows has names of "
        "its own: `token-audience-mismatch`, `token-expired-on-arrival`, `clock-skew`. A token "
        "that is taken, without the right to read, is `arm-forbidden`.",
        (
            Remedy("Check tenant under the identity: the tenant that ARM expects is in the report"),
            AGAIN,
        ),
        "(InvalidAuthenticationTokenTenant) The access token is from the wrong issuer '…'. … / "
        "(InvalidAuthenticationToken) … / (AuthenticationFailed) …",
    ),
    Entry(
        "arm-forbidden",
        Group.RESOURCES,
        (Side.SIGN_IN,),
        "Signed in, but without the right to read this.",
        "403 AuthorizationFailed: ARM takes the token, unlike in `arm-unauthorized`, and names "
        "who, which action and which scope. An empty list is `no-subscriptions`.",
        (
            Remedy(
                "An owner of the subscription grants Reader, the smallest role that can do this",
                "az role assignment create --assignee OBJECT-ID --role Reader "
                "--scope /subscriptions/ID",
                "New-AzRoleAssignment -ObjectId OBJECT-ID -RoleDefinitionName Reader "
                "-Scope /subscriptions/ID",
            ),
        ),
        "(AuthorizationFailed) The client '…' with object id '…' does not have authorization to "
        "perform action '…' over scope '…'",
    ),
    Entry(
        "no-subscriptions",
        Group.RESOURCES,
        (Side.STAMP,),
        "Signed in, but this identity sees no subscription.",
        "The list came, and was empty. One that is named and not among those seen is "
        "`subscription-not-found`.",
        (
            Remedy("The owner of a subscription grants Reader to the identity (Access control)"),
            Remedy("If there is none yet: a user takes one from an offer in the stamp's portal"),
        ),
        "No subscriptions found for ….",
    ),
    Entry(
        "subscription-not-found",
        Group.RESOURCES,
        (Side.STAMP,),
        "The subscription is not among those that this identity sees.",
        "The report lists the ids that it does see; where there are none at all, it is "
        "`no-subscriptions`.",
        (_SUBSCRIPTION, Remedy("Or an owner grants this identity Reader on the one asked for")),
        "(SubscriptionNotFound) The subscription '…' could not be found.",
    ),
    Entry(
        "subscription-disabled",
        Group.RESOURCES,
        (Side.STAMP,),
        "The subscription is disabled.",
        "ARM says so, or every one that is seen has another state than Enabled. It is there, "
        "unlike in `subscription-not-found`.",
        (
            _SUBSCRIPTION,
            Remedy(
                "The stamp's operator enables it again: in the administrator portal, User "
                "subscriptions"
            ),
        ),
        "(DisabledSubscription) The subscription '…' is disabled. …",
    ),
    Entry(
        "api-version-unsupported",
        Group.RESOURCES,
        (Side.BOX,),
        "The profile is newer or older than the stamp.",
        "400, and ARM lists the versions that it serves: the report names the profile that fits. "
        "An az from 2.67 on asks so whatever the profile: `az-too-new`. For the metadata the "
        "same is `metadata-api-version`.",
        (
            same(
                "Set the profile that the report names",
                "stacktui environments set NAME profile=PROFILE",
            ),
            same(
                "And for az, where the stamp is its active cloud",
                "az cloud update --profile PROFILE",
            ),
        ),
        "(InvalidApiVersionParameter) The api-version '…' is invalid. The supported versions are "
        "'…'. / (NoRegisteredProviderFound) …",
    ),
    Entry(
        "arm-throttled",
        Group.RESOURCES,
        (Side.STAMP,),
        "ARM gets too many requests (429).",
        "429 by ARM, with the time to wait (Retry-After); by the login host it is "
        "`login-throttled`.",
        (
            AGAIN,
            Remedy("Find out what else asks so often with this subscription or identity"),
        ),
        "(TooManyRequests) …",
    ),
    Entry(
        "arm-server-error",
        Group.RESOURCES,
        (Side.STAMP,),
        "The stamp fails inside while reading resources (5xx).",
        "ARM itself answers, with request ids; 503 is `arm-unavailable`. While giving the "
        "metadata it is `metadata-server-error`.",
        (AGAIN, _OPERATOR),
        "(InternalServerError) … / Operation returned an invalid status 'Internal Server Error'",
    ),
    Entry(
        "arm-unavailable",
        Group.RESOURCES,
        (Side.STAMP,),
        "ARM is not available just now (503).",
        "ARM says so and may say when to come back (Retry-After). Any other 5xx is "
        "`arm-server-error`; for the metadata it is `metadata-unavailable`.",
        (AGAIN, _OPERATOR),
        "(ServiceUnavailable) The service is unavailable. …",
    ),
    Entry(
        "arm-not-json",
        Group.RESOURCES,
        (Side.STAMP,),
        "ARM's answer is not whole JSON.",
        "The answer came to its end, and cannot be read; one that broke off is `arm-reset`.",
        (AGAIN, _OPERATOR),
        "Expecting value: … / Unterminated string starting at: …",
    ),
    Entry(
        "arm-reset",
        Group.RESOURCES,
        (Side.STAMP,),
        "The connection to ARM breaks off before its answer is whole.",
        "TLS was up and the request was sent; before that it is `tcp-reset`. Silence is "
        "`arm-timeout`.",
        (AGAIN, Remedy("If it stays so, the operator looks at the load balancer and ARM's health")),
        "('Connection aborted.', ConnectionResetError(104, …)) / Connection broken: "
        "IncompleteRead(…)",
    ),
    Entry(
        "arm-timeout",
        Group.RESOURCES,
        (Side.STAMP,),
        "ARM does not answer in time.",
        "The request was sent, and the bound that was hit is in the report. Where nothing could "
        "be sent, it is `tcp-timeout` or `tls-timeout`; for the metadata `metadata-timeout`.",
        (AGAIN, Remedy("If it stays so, the operator looks at the load balancer and ARM's health")),
        "nothing for minutes: it waits 300 s for an answer, and tries again (Read timed out.)",
    ),
    Entry(
        "paging-loop",
        Group.RESOURCES,
        (Side.STAMP,),
        "The pages of a list lead back to one that was read already.",
        "A nextLink repeats; the report has it. One that leads to another host is "
        "`paging-foreign-host`.",
        (_OPERATOR,),
        "nothing: it reads the same page for ever",
    ),
    Entry(
        "paging-foreign-host",
        Group.RESOURCES,
        (Side.STAMP,),
        "The next page of a list is on another host: no token was sent there.",
        "A nextLink leaves the origin of arm; the report has both. A gateway that does not pass "
        "the host's name on does this by mistake, somebody on the way on purpose.",
        (
            Remedy("The stamp's operator looks why ARM names another host than its own"),
            Remedy("If arm is another name of the stamp than its own, ask its operator for that"),
        ),
        "nothing: it sends its token to that host",
    ),
)
