"""Why an identity got no token, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stacktui.errors import FaultError
from stacktui.transport.records import TransportFault

# The detail of a SecretFault where the optional package is missing.
NO_KEYRING = "the package keyring is not installed for stacktui"


@dataclass(frozen=True, slots=True)
class SecretFault:
    """A secret reference that cannot be resolved; `detail` says why (not set, no such file)."""

    reference: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reference}: {self.detail}"


class CertificateProblem(StrEnum):
    """What can be wrong with a service principal's certificate file."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    NO_CERTIFICATE = "no-certificate"
    NO_KEY = "no-key"
    ENCRYPTED = "encrypted"
    PFX = "pfx"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105
    KEY_MISMATCH = "key-mismatch"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    KEY_TYPE = "key-type"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class CertificateFault:
    """A certificate file that nobody can sign in with; `detail` says why, with the values."""

    path: str
    problem: CertificateProblem
    detail: str

    def __str__(self) -> str:
        return f"{self.path}: {self.detail}"


class SignInProblem(StrEnum):
    """At which point signing in failed."""

    DISCOVERY = "discovery"
    REFUSED = "refused"
    NOT_JSON = "not-json"
    SERVER_ERROR = "server-error"
    NO_TENANT = "no-tenant"
    FOREIGN_TOKEN_ENDPOINT = "foreign-token-endpoint"  # noqa: S105
    UNUSABLE_TOKEN = "unusable-token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class SignInFault:
    """The sign-in service responded without a token.

    `error` is OAuth's (RFC 6749 section 5.2); `code` is `AADSTSn` or `MSISn` where there is one;
    `scopes` are those that were tried, in order. `secret_looks_like_id` is true where the secret is
    a GUID, like the id of a secret and unlike its value. `thumbprint` is that of the certificate
    used, as sent (SHA-256 to Entra, SHA-1 to AD FS). `description` is the service's own, or says
    what is wrong with its response (FOREIGN_TOKEN_ENDPOINT names both hosts; nothing was sent to
    the other). `page_title` is that of an HTML page that came instead (NOT_JSON, SERVER_ERROR). All
    text is sanitised.
    """

    problem: SignInProblem
    authority: str
    status: int | None
    error: str = ""
    code: str = ""
    description: str = ""
    scopes: tuple[str, ...] = ()
    correlation_id: str = ""
    secret_looks_like_id: bool = False
    thumbprint: str = ""
    page_title: str = ""

    def __str__(self) -> str:
        return f"{self.authority}: {self.description or self.code or self.error or self.problem}"


class ImdsProblem(StrEnum):
    """Why the instance metadata service gave no token."""

    UNREACHABLE = "unreachable"
    SOMETHING_ELSE = "something-else"
    FORWARDED = "forwarded"
    NO_IDENTITY = "no-identity"
    SEVERAL_IDENTITIES = "several-identities"
    OLD_VERSION = "old-version"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class ImdsFault:
    """No token for a managed identity; `endpoint` is the service's origin.

    `by_variable` is true where AZURE_POD_IDENTITY_AUTHORITY_HOST names it. `cause` is the network
    fault (UNREACHABLE). SOMETHING_ELSE means that another service responded, FORWARDED that a proxy
    passed the request on, SEVERAL_IDENTITIES that none of several was named, OLD_VERSION that the
    service knows older api-versions only, which are in `versions`. `tries` counts the requests,
    over `seconds`. All text is sanitised.
    """

    problem: ImdsProblem
    endpoint: str
    by_variable: bool = False
    status: int | None = None
    error: str = ""
    description: str = ""
    page_title: str = ""
    tries: int = 1
    seconds: float = 0.0
    cause: TransportFault | None = None
    versions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.description or self.error or self.problem}"


class AzureCliProblem(StrEnum):
    """Why `az` gave no token of the account that it is signed in with."""

    NOT_INSTALLED = "not-installed"
    NO_CLOUD = "no-cloud"
    OTHER_CLOUD = "other-cloud"
    NOT_SIGNED_IN = "not-signed-in"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    NOT_UNDERSTOOD = "not-understood"
    OTHER_AUDIENCE = "other-audience"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AzureCliFault:
    """No token from `az`; `detail` says why, in az's words where it ended with an error.

    `launcher` is the az that was asked, `cloud` its name of the stamp; both are empty where there
    is none. `code` is that of the sign-in service which refused az (REFUSED). OTHER_CLOUD means
    that az has another login host or audience for the stamp; then it was not asked. All text is
    sanitised.
    """

    problem: AzureCliProblem
    detail: str
    launcher: str = ""
    cloud: str = ""
    code: str = ""

    def __str__(self) -> str:
        return f"{self.launcher or 'az'}: {self.detail}"


def refuses_secret(fault: object) -> bool:
    """Return whether a fault means that the same secret or password would not do another time."""
    match fault:
        case SignInFault(problem=SignInProblem.REFUSED, error="invalid_client" | "invalid_grant"):
            return True
        case CertificateFault(problem=CertificateProblem.WRONG_PASSWORD):
            return True
        case _:
            return False


class IdentityError(
    FaultError[SecretFault | CertificateFault | SignInFault | ImdsFault | AzureCliFault]
):
    """An identity gets no token."""
