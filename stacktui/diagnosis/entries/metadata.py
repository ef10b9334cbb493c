"""Faults of the metadata, where every connection starts."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import pinning
from stacktui.diagnosis.entries.model import (
    AGAIN,
    AROUND_PROXY,
    AZ,
    AZ_NETWORK,
    Entry,
    Group,
    entry_of,
    same,
)
from stacktui.diagnosis.finding import Remedy, Side

_LOOK = Remedy(
    "See what really answers",
    "curl -sS -i -m 60 'https://HOST/metadata/endpoints?api-version=2015-01-01' "
    "| head -c 2000 | cat -v",
    "(Invoke-WebRequest -TimeoutSec 60 "
    r"'https://HOST/metadata/endpoints?api-version=2015-01-01').RawContent "
    r"-replace '[^\x20-\x7E\r\n\t]', '?'",
)
_SET_ARM = same(
    "Set the stamp's ARM endpoint: management.REGION.FQDN for users, adminmanagement.REGION.FQDN "
    "for operators",
    "stacktui environments set NAME arm=https://management.REGION.FQDN",
)
_OPERATOR = Remedy(
    "If it stays so, give the stamp's operator the time and the request id of the report"
)
_AZ_JSON = AZ + "Response body does not contain valid json. Error detail: "

METADATA = (
    Entry(
        "metadata-wrong-url",
        Group.METADATA,
        (Side.BOX,),
        "The URL is a portal, vault or other service of the stamp, not its ARM.",
        "By the stamp's naming rule the host is another service's, or it answers with the "
        "portal's page or a 404 that no ARM endpoint gives. A page under ARM's own name is "
        "`metadata-intercepted`.",
        (_SET_ARM,),
        AZ + "Server returned status code 404 for https://… / Response body does not contain "
        "valid json. Error detail: Expecting value: line 1 column 1 (char 0)",
    ),
    Entry(
        "metadata-server-error",
        Group.METADATA,
        (Side.STAMP,),
        "The stamp fails inside while giving its metadata (5xx).",
        "The stamp itself answers with 500, 502 or 504, and with a request id; 503 is "
        "`metadata-unavailable`. A gateway's page with such a status is not the stamp's: "
        "`unexplained` tells so.",
        (AGAIN, _OPERATOR),
        AZ + "Server returned status code 500 for https://…",
    ),
    Entry(
        "metadata-unavailable",
        Group.METADATA,
        (Side.STAMP,),
        "The stamp's ARM is not available just now (503).",
        "The stamp answers with 503, and may say when to come back (Retry-After). Any other 5xx "
        "is `metadata-server-error`.",
        (AGAIN, _OPERATOR),
        AZ + "Server returned status code 503 for https://…",
    ),
    Entry(
        "metadata-intercepted",
        Group.METADATA,
        (Side.NETWORK,),
        "A page comes where the metadata should be: a captive portal or gateway.",
        "ARM's own name is asked, and a page comes (200), or a redirect to another host. A page "
        "of the stamp's portal is `metadata-wrong-url`; broken JSON `metadata-not-json`. Here "
        "TLS is trusted, which `tls-intercepted` is not.",
        (
            Remedy("Sign in at the captive portal or gateway, or ask for a rule that lets it pass"),
            AROUND_PROXY,
            _LOOK,
        ),
        _AZ_JSON + "Expecting value: line 1 column 1 (char 0)",
    ),
    Entry(
        "metadata-not-json",
        Group.METADATA,
        (Side.STAMP,),
        "The metadata is cut short, empty, or no JSON.",
        "What came is no page, as in `metadata-intercepted`, and cannot be read to its end; the "
        "report says where reading stopped. JSON that is whole but lacks fields is "
        "`metadata-incomplete`.",
        (AGAIN, _LOOK, _OPERATOR),
        _AZ_JSON + "Unterminated string starting at: … / Expecting value: …",
    ),
    Entry(
        "metadata-incomplete",
        Group.METADATA,
        (Side.STAMP,),
        "The metadata does not say how to sign in.",
        "It is whole JSON, and the report names the field that is missing, blank or of the wrong "
        "type. A list where az wants an object is no fault of the stamp's: `az-too-new`.",
        (
            _LOOK,
            Remedy("The stamp's operator mends its identity configuration"),
            _SET_ARM,
        ),
        "a traceback where authentication is missing or null (KeyError: 'authentication', "
        "'NoneType' object …); blank values are registered, and az login fails later: Your given "
        "address (…) should consist of an https url …",
    ),
    Entry(
        "audience-foreign",
        Group.METADATA,
        (Side.STAMP,),
        "The stamp asks for a token of Microsoft's public cloud, which it is not given.",
        "The metadata names a public resource as its audience (a vault, Graph, storage, the "
        "public ARM); the report has it. A token for it would open that resource to whoever "
        "answers as the stamp. Another audience than the recorded one is `metadata-drift`.",
        (
            Remedy("Ask the stamp's operator which audience its identity configuration has"),
            Remedy("Sign in nowhere until then"),
            _LOOK,
        ),
        "nothing: az asks for that token, and gives it to the stamp",
    ),
    Entry(
        "metadata-too-large",
        Group.METADATA,
        (Side.STAMP,),
        "The answer is larger than any metadata (1 MiB by default).",
        "Reading stopped at the bound, which the report names. An answer that never ends but "
        "stays small is `metadata-timeout`.",
        (_LOOK, _OPERATOR),
        "nothing: az reads it all, however much it is",
    ),
    Entry(
        "metadata-timeout",
        Group.METADATA,
        (Side.STAMP,),
        "The stamp takes the request, and does not answer it in time.",
        "TCP and TLS are up, unlike in `tcp-timeout` and `tls-timeout`; the report has each "
        "phase's seconds and the bound that was hit.",
        (AGAIN, _LOOK, _OPERATOR),
        "nothing: az has no time-out there, and waits for ever",
    ),
    Entry(
        "metadata-reset",
        Group.METADATA,
        (Side.STAMP,),
        "The stamp takes the request, and closes the connection unanswered.",
        "TCP and TLS are up, unlike in `tcp-reset`. An answer that begins and is cut short is "
        "`metadata-not-json`, silence `metadata-timeout`.",
        (AGAIN, _LOOK, _OPERATOR),
        AZ_NETWORK + "('Connection aborted.', RemoteDisconnected('Remote end closed connection "
        "without response'))",
    ),
    Entry(
        "metadata-api-version",
        Group.METADATA,
        (Side.STAMP,),
        "The stamp serves its metadata by another api-version only.",
        "ARM refuses every version that was tried, in its own words (400); the report lists them "
        "and those that it names. For resources the same is `api-version-unsupported`.",
        (
            Remedy("The stamp's operator says which build this is"),
            _LOOK,
        ),
        AZ + "Server returned status code 400 for "
        "https://…/metadata/endpoints?api-version=2015-01-01",
    ),
    entry_of(pinning.METADATA_DRIFT),
    entry_of(pinning.RECORD_UNREADABLE),
    Entry(
        "login-endpoint-insecure",
        Group.METADATA,
        (Side.STAMP,),
        "The stamp names a login endpoint that is plain http:, which is refused.",
        "The metadata itself says so, in authentication.loginEndpoint; one that is missing or "
        "blank is `metadata-incomplete`.",
        (
            Remedy(
                "The stamp's operator gives its metadata an https: login endpoint. Until then "
                "sign in nowhere: a secret sent there can be read by anybody on the way"
            ),
            _LOOK,
        ),
        "Your given address (http://…) should consist of an https url with a minimum of one "
        "segment in a path",
    ),
)
