"""How ARM refuses, by its codes (PROTOCOL.md section 4), and answers that any service may give."""

# ruff: noqa: E501 - the tables keep a code on a line

from __future__ import annotations

from stacktui.diagnosis.sayings.model import Saying

CODES = (
    Saying("AuthenticationFailed", (r"\bauthenticationfailed\b",), {"arm-unauthorized": 82}),
    Saying("InvalidAuthenticationToken", (r"\binvalidauthenticationtoken\b",), {"arm-unauthorized": 84, "clock-skew": 50}),
    Saying("InvalidAuthenticationTokenAudience", (r"invalidauthenticationtokenaudience|wrong audience or resource",), {"token-audience-mismatch": 88, "arm-unauthorized": 60}),
    Saying("InvalidAuthenticationTokenTenant", (r"invalidauthenticationtokentenant|token is from the wrong issuer",), {"arm-unauthorized": 90}),
    Saying("ExpiredAuthenticationToken", (r"expiredauthenticationtoken|access token expiry",), {"token-expired-on-arrival": 76, "clock-skew": 72, "arm-unauthorized": 50}),
    Saying("AuthorizationFailed", (r"\bauthorizationfailed\b|does not have authorization to perform",), {"arm-forbidden": 94}),
    Saying("SubscriptionNotFound", (r"\bsubscriptionnotfound\b|subscription .{1,60}could not be found|subscription of .{1,60}doesn.t exist",), {"subscription-not-found": 92}),
    Saying("InvalidSubscriptionId", (r"invalidsubscriptionid",), {"subscription-not-found": 86}),
    Saying("DisabledSubscription", (r"disabledsubscription|subscription .{1,60}is disabled",), {"subscription-disabled": 92}),
    Saying("no subscription", (r"no subscriptions? found|no subscriptions were found",), {"no-subscriptions": 92}),
    Saying("InvalidApiVersionParameter", (r"invalidapiversionparameter|supported (?:api-)?versions are",), {"api-version-unsupported": 88, "az-too-new": 50}),
    Saying("NoRegisteredProviderFound", (r"noregisteredproviderfound",), {"api-version-unsupported": 88, "az-too-new": 50}),
    Saying("TooManyRequests", (r"toomanyrequests|subscriptionrequeststhrottled",), {"arm-throttled": 90}),
    Saying("InternalServerError", (r"internalservererror|internal server error",), {"arm-server-error": 64, "metadata-server-error": 50, "login-server-error": 48}),
    Saying("ServiceUnavailable", (r"serviceunavailable|service (?:is )?unavailable|server unavailable",), {"arm-unavailable": 66, "metadata-unavailable": 56, "login-server-error": 36}),
    Saying("MissingSubscriptionRegistration", (r"missingsubscriptionregistration|not registered to use namespace",), note="MissingSubscriptionRegistration: register the resource provider once for the subscription: `az provider register -n NAMESPACE`."),
    Saying("ResourceGroupNotFound", (r"resourcegroupnotfound|resource group .{1,90}could not be found",), note="ResourceGroupNotFound: the connection is well, and there is no group of that name in this subscription: `az group list -o table`."),
    Saying("ResourceGroupBeingDeleted", (r"resourcegroupbeingdeleted",), note="ResourceGroupBeingDeleted: the connection is well; wait until the group is gone, or take another name."),
    Saying("LocationNotAvailableForResourceGroup", (r"locationnotavailable",), note="LocationNotAvailableForResourceGroup: a stamp has one location, the region in its host names: `az account list-locations`."),
)  # fmt: skip

STATUSES = (
    Saying("429", (r"\(429\)|http error: 429|status code:? 429|429 (?:client error|too many)|too many requests",), {"arm-throttled": 62, "login-throttled": 58}),
    Saying("401", (r"\(401\)|status code:? 401|401 (?:client error|unauthorized)|status 'unauthorized'",), {"arm-unauthorized": 62}),
    Saying("403", (r"\(403\)|status code:? 403|403 (?:client error|forbidden)|status 'forbidden'",), {"arm-forbidden": 52, "proxy-refused": 44}),
    Saying("500 or 504", (r"\(50[04]\)|50[04] (?:server error|gateway)|gateway time-?out",), {"arm-server-error": 56, "metadata-server-error": 48}),
    Saying("502", (r"\(502\)|502 (?:server error|bad)|bad gateway",), {"arm-server-error": 52, "metadata-server-error": 48, "proxy-refused": 40}),
    Saying("503", (r"\(503\)|503 (?:server error|service)",), {"arm-unavailable": 62, "metadata-unavailable": 56}),
)  # fmt: skip

ANSWERS = (
    Saying("431", (r"header fields too large|\(431\)|status code:? 431",), {"token-too-large": 84}),
    Saying("BadStatusLine", (r"badstatusline|with content-encoding: gzip",), {"metadata-not-json": 58, "login-not-json": 60, "arm-not-json": 60}),
    Saying("an answer that is no JSON", (r"jsondecodeerror|expecting value: |unterminated string starting",), {"arm-not-json": 40, "metadata-not-json": 38, "login-not-json": 38}),
    Saying("an answer that broke off", (r"incompleteread|connection broken|chunkedencodingerror|transfer closed with",), {"arm-reset": 84}),
    Saying("no answer in time", (r"read timed out|readtimeout|operation has timed out|httpclient\.timeout|operation timed out",), {"arm-timeout": 64, "login-timeout": 54, "metadata-timeout": 52, "tcp-timeout": 40}),
)  # fmt: skip

ARM = (*CODES, *STATUSES, *ANSWERS)
