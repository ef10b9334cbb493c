"""What az and MSAL say in words of their own, of the metadata and of themselves."""

from __future__ import annotations

from stacktui.diagnosis.sayings.model import Saying

_ENDPOINTS = r"unable to get endpoints from the cloud"
_NOT_JSON = r"response body does not contain valid json"

METADATA = (
    Saying(
        "az could not read the metadata",
        (_ENDPOINTS,),
        {
            "tls-untrusted-root": 18,
            "dns-not-found": 17,
            "tcp-timeout": 16,
            "tcp-refused": 16,
            "proxy-unreachable": 15,
            "metadata-wrong-url": 15,
            "tls-intercepted": 14,
            "metadata-server-error": 13,
            "metadata-not-json": 12,
        },
        "az says this of DNS, TCP, proxy and TLS alike: what follows it, after “Error detail:” or "
        "“status code”, tells them apart. Paste the whole message.",
    ),
    Saying(
        "the metadata was answered with 404",
        (r"server returned status code 404",),
        {"metadata-wrong-url": 90},
    ),
    Saying(
        "the metadata was answered with 400",
        (r"server returned status code 400",),
        {"metadata-api-version": 75, "metadata-wrong-url": 70},
    ),
    Saying(
        "the metadata was answered with 401 or 403",
        (r"server returned status code 40[13]",),
        {"metadata-wrong-url": 70, "metadata-intercepted": 68, "proxy-refused": 50},
    ),
    Saying(
        "the metadata was answered with a redirect",
        (r"server returned status code 3\d\d|exceeded 30 redirects|toomanyredirects",),
        {"metadata-intercepted": 80, "metadata-wrong-url": 70},
    ),
    Saying(
        "the metadata was answered with 503",
        (r"server returned status code 503",),
        {"metadata-unavailable": 92},
    ),
    Saying(
        "the metadata was answered with another 5xx",
        (r"server returned status code 5(?!03)\d\d",),
        {"metadata-server-error": 92},
    ),
    Saying(
        "the metadata is no JSON",
        (_NOT_JSON,),
        {"metadata-not-json": 44, "metadata-intercepted": 43, "metadata-wrong-url": 42},
    ),
    Saying(
        "the metadata is no JSON from its first character on: a page, or nothing",
        (_NOT_JSON, r"expecting value: line \d{1,3} column 1 \("),
        {"metadata-intercepted": 82, "metadata-wrong-url": 80, "metadata-not-json": 78},
    ),
    Saying(
        "the metadata is JSON that breaks off or is damaged",
        (
            _NOT_JSON,
            (
                r"unterminated string|expecting ['\"]?[,:]|expecting property name|extra data"
                r"|invalid control character|invalid \\escape"
            ),
        ),
        {"metadata-not-json": 92},
    ),
    Saying(
        "the metadata request was closed without an answer",
        (_ENDPOINTS, r"remote end closed connection|remotedisconnected"),
        {"metadata-reset": 130},
    ),
    Saying(
        "the metadata broke off",
        (_ENDPOINTS, r"incompleteread|connection broken"),
        {"metadata-not-json": 170},
    ),
    Saying(
        "ARM knows another api-version of its metadata",
        (r"/metadata/endpoints", r"invalidapiversionparameter"),
        {"metadata-api-version": 195},
    ),
    Saying(
        "the metadata has no sign-in data",
        (r"keyerror: ['\"](?:authentication|loginendpoint|audiences)",),
        {"metadata-incomplete": 90},
    ),
    Saying(
        "something that az expects is not there",
        (r"'nonetype' object (?:is not|has no)|indexerror: list index",),
        {"metadata-incomplete": 52, "az-too-new": 34},
    ),
    Saying(
        "az takes the metadata apart, and finds something else than it expects",
        (
            r"metadata\.get\(|metadata\['authentication",
            r"object (?:has no attribute|is not)|list index out of range|keyerror",
        ),
        {"metadata-incomplete": 92},
    ),
)

VERSIONS = (
    Saying(
        "az takes the stamp's list of clouds for one cloud",
        (r"list indices must be integers or slices, not str",),
        {"az-too-new": 95},
    ),
    Saying(
        "az has no hybrid profile",
        (r"hybrid", r"allowed values: latest\.|does not exist or is not supported"),
        {"az-too-new": 92},
    ),
    Saying(
        "az asks for an api-version of later stamps",
        (
            r"invalidapiversionparameter|noregisteredproviderfound",
            r"20(?:2[1-9]|[3-9]\d)-\d\d-\d\d",
        ),
        {"az-too-new": 84},
    ),
    Saying(
        "clouds.config cannot be parsed",
        (
            (
                r"is in bad format and has been removed|missingsectionheadererror"
                r"|file contains no section headers"
                r"|source contains parsing errors|duplicatesectionerror|duplicateoptionerror"
                r"|configparser\.parsingerror"
            ),
        ),
        {"az-config-broken": 92},
    ),
    Saying(
        "az does not know the cloud any more",
        (r"the cloud '?.{1,60}is not registered",),
        {"az-config-broken": 60},
        "`az cloud list` shows which clouds az knows: one that was never registered is no fault.",
    ),
    Saying(
        "az is not signed in",
        (r"please run '?az login|setup account",),
        note="az holds no token: what it said before that line tells why. `stacktui check` signs "
        "in anew.",
    ),
    Saying(
        "not for a stamp",
        (r"az interactive|az vm image list",),
        note="On a stamp, `az interactive` does not work, and `az vm image list` only with --all.",
    ),
)

MSAL = (
    Saying(
        "the authority does not answer as one",
        (r"unable to get authority configuration",),
        {"tenant-not-found": 72, "login-not-json": 60, "login-unreachable": 50},
    ),
    Saying(
        "the login endpoint is plain http:",
        (r"your given address \(http:",),
        {"login-endpoint-insecure": 180},
    ),
    Saying(
        "the login endpoint is blank",
        (r"your given address \((?!http)",),
        {"metadata-incomplete": 180},
    ),
    Saying(
        "the login endpoint is no https URL",
        (r"should consist of an https url",),
        {"login-endpoint-insecure": 62, "metadata-incomplete": 60},
    ),
    Saying(
        "the sign-in service failed inside",
        (r"msalserviceerror: http error: 5\d\d|msalserviceerror.{0,30}server_error",),
        {"login-server-error": 92},
    ),
    Saying(
        "the sign-in service answered in another form",
        (r"msal", r"jsondecodeerror|expecting value: line"),
        {"login-not-json": 90},
    ),
    Saying(
        "the sign-in service closed the connection",
        (r"\bmsal\b", r"remote end closed|remotedisconnected|connectionreseterror|incompleteread"),
        {"login-reset": 90},
    ),
    Saying(
        "the sign-in service did not answer in time",
        (r"\bmsal\b", r"read timed out|readtimeout"),
        {"login-timeout": 90},
    ),
    Saying(
        "the request was for the login host",
        (
            (
                r"/userrealm/|/oauth2/|openid-configuration|host='(?:login|adfs|sts)\b"
                r"|login\.microsoftonline\.com.{0,12}port|discovery/instance|/adfs/"
            ),
            (
                r"max retries exceeded|sslerror|connection aborted|failed to establish|timed out"
                r"|failed to resolve"
            ),
        ),
        {"login-unreachable": 96},
    ),
)

AZ = (*METADATA, *VERSIONS, *MSAL)
