"""What keeps a person from a token: the password, the account, a policy, a code nobody typed."""

from __future__ import annotations

from stacktui.diagnosis.codes import REFUSALS
from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import put_secret
from stacktui.diagnosis.rules.refusals import (
    is_adfs,
    metadata_of,
    refusal,
    section_of,
    tenant_lines,
)
from stacktui.diagnosis.shell import bash, for_az, powershell
from stacktui.diagnosis.words import fault_lines
from stacktui.environments.metadata import IdentityProvider
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.identities.model import AZURE_CLI, Identity, IdentityKind

_NO_USER = "AADSTS50034"
# OAuth's words where AD FS has no number (RFC 6749 section 4.1.2.1, OpenID Connect Core 3.1.2.6).
_MORE_NEEDED, _DENIED = "interaction_required", "access_denied"
# How a device code ends (RFC 8628 section 3.5; Entra has a word of its own for the second).
_EXPIRED = "expired_token"
_DECLINED = frozenset({"access_denied", "authorization_declined"})
_Refused = tuple[SignInFault, Identity]


def _person(case: FailureContext, id_: str) -> _Refused | None:
    """The refusal that the table has under `id_`, of a user or of whoever types a code."""
    refused = refusal(case, REFUSALS[id_])
    people = (IdentityKind.USER, IdentityKind.DEVICE_CODE)
    return refused if refused and refused[1].kind in people else None


def _by_adfs(case: FailureContext, error: str) -> _Refused | None:
    """A refusal of a user's password by AD FS, which has no number for it."""
    fault, identity = case.fault, case.identity
    if not isinstance(fault, SignInFault) or identity is None or not _is_user(identity):
        return None
    told = fault.problem is SignInProblem.REFUSED and fault.status in (400, 401, 403)
    numberless = _adfs_signs_in(case) and not fault.code
    return (fault, identity) if told and numberless and fault.error == error else None


def _is_user(identity: Identity) -> bool:
    return identity.kind is IdentityKind.USER


def _who(identity: Identity) -> str:
    return identity.username or "whoever typed the code"


def _evidence(case: FailureContext, refused: _Refused) -> tuple[str, ...]:
    fault, identity = refused
    lines = [f"user name: {identity.username}"] if identity.username else []
    if identity.credential:
        lines.append(f"the password came from {identity.credential}")
    if not _adfs_signs_in(case):
        lines += tenant_lines(case, identity)
    return (*lines, *fault_lines(fault))


def _adfs_signs_in(case: FailureContext) -> bool:
    metadata = metadata_of(case)
    return metadata is not None and metadata.identity_provider is IdentityProvider.ADFS


def _by_device_code(case: FailureContext, identity: Identity, why: str) -> tuple[Remedy, ...]:
    """The config lines that let a person sign in with a browser, and the same for az."""
    if not _is_user(identity):
        return ()
    section, metadata = section_of(identity), metadata_of(case)
    tenant = identity.tenant or (metadata.tenant if metadata else None)
    tenant = None if _adfs_signs_in(case) else tenant
    login = "az login --use-device-code"
    pasted = for_az(lambda quote: f"{login} --tenant {quote(tenant)}" if tenant else login)
    at = f" (tenant {tenant})" if tenant else ""
    return (
        Remedy(
            f'{why}: under {section}, set kind = "device-code" and take username and password out'
        ),
        Remedy(f"The same with az, where the stamp is its active cloud{at}", *pasted),
    )


def _application(identity: Identity) -> Remedy:
    return Remedy(
        'For scripts, use an application instead, with kind = "service-principal": what is asked '
        f"of people is not asked of it (under {section_of(identity)})"
    )


def _account(case: FailureContext, identity: Identity) -> Remedy:
    """Where an administrator sees what state an account is in."""
    user = identity.username
    if _adfs_signs_in(case):
        return Remedy(
            "Whoever runs the domain sees whether the account is locked, disabled or expired",
            powershell=f"$u = {powershell(user)}; Get-ADUser -Filter 'UserPrincipalName -eq $u' "
            "-Properties LockedOut, PasswordExpired, Enabled",
        )
    return Remedy(
        f"An administrator of the directory sees the state of the account {user}",
        *for_az(lambda quote: f"az ad user show --id {quote(user)} --query accountEnabled"),
    )


@rule(
    "password-wrong",
    Side.SIGN_IN,
    "AADSTS50126: Error validating credentials due to invalid username or password. … / "
    "AADSTS50034: The user account … does not exist in the directory. … / MSIS9659: Invalid "
    "'username' or 'password'.",
)
def password_wrong(case: FailureContext) -> Explained | None:
    refused = _person(case, "password-wrong")
    if refused is None:
        return None
    fault, identity = refused
    title = "The sign-in service does not take this user name and password"
    browser = "A user of another company, or of a federated domain, signs in with a browser alone"
    remedies = (*put_secret(identity.credential, "password"), _check_name(identity))
    if fault.code == _NO_USER:
        title = f"The directory has no user {identity.username}"
        remedies = (_check_name(identity),)
    elif is_adfs(fault):
        title += ", or the account is locked, disabled or expired: AD FS does not tell which"
    more = (_account(case, identity),) if identity.username else ()
    remedies = (*remedies, *more, *_by_device_code(case, identity, browser))
    return title, _evidence(case, refused), remedies


def _check_name(identity: Identity) -> Remedy:
    return Remedy(
        f"Check username and tenant under {section_of(identity)}: the name as the portal shows it "
        f"(<user>@<domain>), here {_who(identity)}"
    )


@rule(
    "account-locked",
    Side.SIGN_IN,
    "AADSTS50053: The account is locked, you've tried to sign in too many times with an incorrect "
    "user ID or password.",
)
def account_locked(case: FailureContext) -> Explained | None:
    refused = _person(case, "account-locked")
    if refused is None:
        return None
    _, identity = refused
    remedies = (
        Remedy(
            "Wait until the lock ends (minutes; longer after each further attempt), then check "
            "again: every attempt before that makes it longer",
            f"sleep 600 && {case.command('check', bash)}",
            f"Start-Sleep -Seconds 600; {case.command('check', powershell)}",
        ),
        Remedy(
            f"Find what else signs in as {_who(identity)} with an old password: a script, a "
            "service, another box"
        ),
        *put_secret(identity.credential, "password"),
    )
    title = f"The account of {_who(identity)} is locked after too many wrong attempts"
    return title, _evidence(case, refused), remedies


@rule("account-disabled", Side.SIGN_IN, "AADSTS50057: The user account is disabled.")
def account_disabled(case: FailureContext) -> Explained | None:
    refused = _person(case, "account-disabled")
    if refused is None:
        return None
    _, identity = refused
    user = identity.username
    pasted = for_az(
        lambda quote: f"az ad user update --id {quote(user)} --account-enabled true" if user else ""
    )
    remedies = (
        Remedy("An administrator of the directory enables it", *pasted),
        Remedy(f"Or another account signs in: username and password under {section_of(identity)}"),
    )
    return f"The account of {_who(identity)} is disabled", _evidence(case, refused), remedies


@rule("password-expired", Side.SIGN_IN, "AADSTS50055: The password is expired.")
def password_expired(case: FailureContext) -> Explained | None:
    refused = _person(case, "password-expired")
    if refused is None:
        return None
    _, identity = refused
    metadata = metadata_of(case)
    portal = metadata.portal if metadata and metadata.portal else "the stamp's portal"
    remedies = (
        Remedy(f"Sign in to {portal} with a browser: it asks for a new password"),
        *put_secret(identity.credential, "password"),
        _application(identity),
    )
    title = f"The password of {_who(identity)} was right, and has expired"
    return title, _evidence(case, refused), remedies


@rule(
    "mfa-required",
    Side.SIGN_IN,
    "AADSTS50076: Due to a configuration change made by your administrator, or because you moved "
    "to a new location, you must use multi-factor authentication to access '…'.",
)
def mfa_required(case: FailureContext) -> Explained | None:
    refused = _person(case, "mfa-required") or _by_adfs(case, _MORE_NEEDED)
    if refused is None:
        return None
    _, identity = refused
    why = "Sign in by device code, which lets a person show the second factor"
    remedies = (*_by_device_code(case, identity, why), _application(identity))
    title = f"{_who(identity)} must show more than a password (MFA)"
    return title, _evidence(case, refused), remedies


@rule(
    "conditional-access",
    Side.SIGN_IN,
    "AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does "
    "not allow token issuance.",
)
def conditional_access(case: FailureContext) -> Explained | None:
    refused = _person(case, "conditional-access") or _by_adfs(case, _DENIED)
    if refused is None:
        return None
    fault, identity = refused
    id_ = f" (correlation id {fault.correlation_id})" if fault.correlation_id else ""
    look_up = "An administrator of the directory finds the policy in its sign-in logs"
    if not fault.code:
        look_up = "Whoever runs AD FS looks at the access control policy of the stamp's ARM"
    why = "If the policy wants a known device or place, sign in from there by device code"
    remedies = (
        Remedy(f"{look_up}{id_}, and says from where, by what and to whom it lets in"),
        *_by_device_code(case, identity, why),
        _application(identity),
    )
    title = f"A policy does not let {_who(identity)} sign in so, or from here"
    return title, _evidence(case, refused), remedies


@rule(
    "consent-required",
    Side.SIGN_IN,
    "AADSTS65001: The user or administrator has not consented to use the application with ID '…'. "
    "Send an interactive authorization request for this user and resource.",
)
def consent_required(case: FailureContext) -> Explained | None:
    refused = _person(case, "consent-required")
    if refused is None:
        return None
    fault, identity = refused
    client, own = identity.client_id, identity.client_id != AZURE_CLI
    page = f"{fault.authority}/adminconsent?client_id={client}"
    remedies = [Remedy(f"An administrator of the directory opens {page} and consents")]
    if own:
        remedies.append(
            Remedy(
                "Or consents with az, signed in to that directory",
                *for_az(lambda quote: f"az ad app permission admin-consent --id {quote(client)}"),
            )
        )
        remedies.append(
            Remedy(f"Or take client_id out of {section_of(identity)}: then it is Azure CLI's")
        )
    remedies += _by_device_code(case, identity, "Or let the user consent, with a browser")
    title = "Nobody has consented to the application that the user signs in through"
    evidence = (
        f"application {client}" + ("" if own else " (Azure CLI's)"),
        *_evidence(case, refused),
    )
    return title, evidence, tuple(remedies)


def _code_ended(case: FailureContext) -> _Refused | None:
    """Why a device code gave no token; the errors are OAuth's, with whatever number."""
    fault, identity = case.fault, case.identity
    if not isinstance(fault, SignInFault) or identity is None:
        return None
    ours = fault.problem is SignInProblem.REFUSED and identity.kind is IdentityKind.DEVICE_CODE
    return (fault, identity) if ours and fault.status in (None, 400, 401, 403) else None


@rule(
    "device-code-expired",
    Side.SIGN_IN,
    "AADSTS70019: Verification code expired. … / The device code has expired.",
)
def device_code_expired(case: FailureContext) -> Explained | None:
    refused = _code_ended(case)
    if refused is None or refused[0].error != _EXPIRED:
        return None
    remedies = (
        Remedy(
            "Run the check again, and type the new code in time, on any machine with a browser",
            case.command("check", bash),
            case.command("check", powershell),
        ),
        _application(refused[1]),
    )
    return "Nobody signed in with the device code in time", _code_lines(refused), remedies


@rule(
    "device-code-declined",
    Side.SIGN_IN,
    "AADSTS70018: The user declined the authorization request. … / The user declined the "
    "authorization request.",
)
def device_code_declined(case: FailureContext) -> Explained | None:
    refused = _code_ended(case)
    if refused is None or refused[0].error not in _DECLINED:
        return None
    remedies = (
        Remedy(
            "Run the check again, and let it sign in when the page asks: it names the account and "
            "the application, Azure CLI where client_id says no other",
            case.command("check", bash),
            case.command("check", powershell),
        ),
        Remedy("If nobody declined it, ask who else saw the code: it is for one person alone"),
    )
    return "The sign-in was declined in the browser", _code_lines(refused), remedies


def _code_lines(refused: _Refused) -> tuple[str, ...]:
    fault, identity = refused
    return (f"application {identity.client_id}", *fault_lines(fault))


RULES: tuple[Rule[FailureContext], ...] = (
    password_wrong,
    account_locked,
    account_disabled,
    password_expired,
    mfa_required,
    conditional_access,
    consent_required,
    device_code_expired,
    device_code_declined,
)
