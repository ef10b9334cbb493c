"""How sign-in services refuse: Entra's and AD FS's codes, OAuth's errors, managed identities."""

# ruff: noqa: E501 - the tables keep a saying on a line

from __future__ import annotations

from collections.abc import Iterator

from stacktui.diagnosis.catalogue.precedence import FAULTS
from stacktui.diagnosis.sayings.model import Saying

_SOLE, _SHARED = 92, 84


def _by_code() -> Iterator[Saying]:
    """A saying a code; AD FS has codes that stand for several faults."""
    codes: dict[str, list[str]] = {}
    for fault in FAULTS:
        for code in sorted(fault.refusal.codes) if fault.refusal else ():
            codes.setdefault(code, []).append(fault.id)
    for code, ids in codes.items():
        weight = _SOLE if len(ids) == 1 else _SHARED
        pattern = rf"{code.lower()}(?!\d)"
        yield Saying(code, (pattern,), {id_: weight - at for at, id_ in enumerate(ids)})


CODES = (
    *_by_code(),
    Saying("AADSTS700027", (r"aadsts700027(?!\d)",), {"clock-skew": 47}),
    Saying(
        "the certificate is not registered on the application",
        (r"aadsts700027(?!\d)", r"key was not found|is not registered on application"),
        {"sp-cert-rejected": 96},
    ),
    Saying("AADSTS700024", (r"aadsts700024(?!\d)|within its valid time range",), {"clock-skew": 94}),
    Saying("AADSTS700023", (r"aadsts700023(?!\d)",), {"sp-cert-rejected": 70, "audience-unknown": 50}),
    Saying("AADSTS7000218", (r"aadsts7000218(?!\d)",), {"secret-missing": 80, "sp-secret-wrong": 60}),
    Saying("AADSTS90055", (r"aadsts90055(?!\d)|request was throttled|server is too busy|temporarily_unavailable",), {"login-throttled": 94}),
    Saying(
        "AADSTS50196",
        (r"aadsts50196(?!\d)",),
        {"login-throttled": 86},
        "AADSTS50196 is a loop: something asks for the same token again and again.",
    ),
    Saying("AADSTS50059", (r"aadsts50059(?!\d)|no tenant-identifying",), {"tenant-not-found": 84}),
    Saying("AADSTS70019", (r"aadsts70019(?!\d)|expired_token|code expired",), {"device-code-expired": 90}),
    Saying("AADSTS70018", (r"aadsts70018(?!\d)|authorization_declined",), {"device-code-declined": 90}),
    Saying(
        "AADSTS70016",
        (r"aadsts70016(?!\d)|authorization_pending",),
        {"device-code-expired": 40},
        "AADSTS70016 is no fault: the device code still waits for somebody to use it.",
    ),
    Saying(
        "AADSTS50049",
        (r"aadsts50049(?!\d)|invalid_instance|/discovery/instance|authority you provided.{0,90}is not",),
        note="For a stamp with a login host of its own, az must not ask a public one about it: "
        "`az config set core.instance_discovery=false`. stacktui never asks.",
    ),
)  # fmt: skip


def _another(prefix: str, note: str) -> Saying:
    """A code of the same service that no row above has."""
    known = {each.label.removeprefix(prefix) for each in CODES if each.label.startswith(prefix)}
    pattern = rf"{prefix.lower()}(?!(?:{'|'.join(sorted(known))})(?!\d))\d{{3,9}}"
    return Saying(f"{prefix}…", (pattern,), note=note)


OTHERS = (
    _another("AADSTS", "The catalogue does not have this code of Entra's. From a box with internet, "
             "https://login.microsoftonline.com/error?code=N tells what number N means."),
    _another("MSIS", "The catalogue does not have this code of AD FS's. The event log of the AD FS "
             "servers (AD FS/Admin) has it at that time, with the reason."),
)  # fmt: skip

WORDS = (
    Saying(
        "the secret is refused",
        (r"invalid client secret|client authentication failed",),
        {"sp-secret-wrong": 62, "sp-cert-rejected": 50},
    ),
    Saying("the secret has expired", (r"secret keys? .{0,80}expired",), {"sp-secret-expired": 86}),
    Saying(
        "the certificate's file cannot sign in",
        (
            (r"invalid certificate(?! \()|unable to load certificate|could not deserialize key data"
            r"|unable to load pem file|bad decrypt|password was not given but private key"
            r"|private key is encrypted"),
        ),
        {"sp-cert-unusable": 82},
    ),
    Saying("the client is refused", (r"invalid_client",), {"sp-secret-wrong": 44, "sp-cert-rejected": 43, "app-not-found": 42}),
    Saying("the client is not allowed", (r"unauthorized_client",), {"app-not-found": 46, "adfs-client-not-allowed": 40}),
    Saying("the application is unknown", (r"was not found in the directory|client_id. parameter in the request is invalid",), {"app-not-found": 80}),
    Saying("the tenant is unknown", (r"tenant .{1,60}not found",), {"tenant-not-found": 80}),
    Saying("the audience is unknown", (r"invalid_resource|invalid_target|resource principal named|'resource' parameter is invalid",), {"audience-unknown": 82}),
    Saying("the client may not have this resource", (r"client is not allowed to access the requested resource",), {"adfs-client-not-allowed": 86}),
    Saying("user or password is refused", (r"invalid username or password|invalid 'username' or 'password'",), {"password-wrong": 82}),
    Saying("the service failed inside", (r"\bserver_error\b",), {"login-server-error": 70}),
    Saying("the grant is refused", (r"invalid_grant",), {"password-wrong": 36, "mfa-required": 34, "consent-required": 32}),
    Saying("more than a password is asked for", (r"interaction_required",), {"mfa-required": 50, "conditional-access": 46}),
    Saying("multi-factor authentication is asked for", (r"multi-?factor authentication",), {"mfa-required": 80}),
    Saying("a policy forbids it", (r"blocked by conditional access|conditional access policies",), {"conditional-access": 90}),
    Saying("consent is missing", (r"has not consented|consent_required",), {"consent-required": 86}),
    Saying("the account is locked", (r"account is locked",), {"account-locked": 86}),
    Saying("the account is disabled", (r"user account is disabled",), {"account-disabled": 86}),
    Saying("the password has expired", (r"password is expired|password has expired",), {"password-expired": 86}),
)  # fmt: skip

_MSI = r"169\.254\.169\.254|\bmsi\b|\bimds\b"
IMDS = (
    Saying("the managed identity's service does not answer", (r"failed to connect to msi|msi endpoint is not responding|no response from the imds|imds endpoint is not available|managed ?identity.{0,60}(?:unreachable|timed out|no response)",), {"imds-unreachable": 84, "imds-unavailable": 50, "imds-no-identity": 44}),
    Saying("the managed identity's service gives no token", (r"msi: failed|failed to retrieve a token from 'http://169|failed to acquire tokens? after",), {"imds-unavailable": 84, "imds-unreachable": 60}),
    Saying("169.254.169.254 cannot be reached", (r"169\.254\.169\.254", r"timed out|refused|unreachable|no route|max retries|10060|10061|10051"), {"imds-unreachable": 180}),
    Saying("the managed identity's service answered 400", (_MSI, r"response \[400\]|error: 400|\b400 (?:client error|bad request)"), {"imds-no-identity": 180}),
    Saying("there is no such managed identity", (r"identity not found|no user assigned or delegated managed identity|identity has not been assigned|no managed identity",), {"imds-no-identity": 185}),
    Saying("the managed identity's service is busy", (_MSI, r"response \[(?:404|410|429|5\d\d)\]|error: (?:404|410|429|5\d\d)|after 12 times"), {"imds-unavailable": 180}),
)  # fmt: skip

SIGN_IN = (*CODES, *OTHERS, *WORDS, *IMDS)
