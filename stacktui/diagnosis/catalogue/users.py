"""Faults of a user's password and of the state of the account."""

from __future__ import annotations

from dataclasses import replace

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.entra_commands import fill_in_entra, in_entra
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group, Refusal
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.sign_in import GRANT_REFUSED
from stacktui.diagnosis.refused_user import (
    AZ_DEVICE_CODE,
    INVALID_GRANT,
    USE_APPLICATION,
    WHO,
    by_device_code,
    fill_device_code,
    refused_user,
    refused_user_lines,
    use_application,
    who,
)
from stacktui.diagnosis.remedies import (
    PUT_SECRET_FILE,
    SET_SECRET_VARIABLE,
    checking_again,
    put_secret,
)
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.diagnosis.sign_in_facts import is_adfs, section_of
from stacktui.identities.faults import SignInFault
from stacktui.identities.model import Identity

_NO_USER = "AADSTS50034"


# password-wrong

_CHECK_NAME = RemedyTemplate(
    "Check username and tenant under {identity}: the name as the portal shows it "
    "(<user>@<domain>), here {who}",
    shown=WHO,
)
_SEE_DOMAIN_ACCOUNT = RemedyTemplate(
    "Whoever runs the domain sees whether the account is locked, disabled or expired",
    powershell="$u = {user}; Get-ADUser -Filter 'UserPrincipalName -eq $u' "
    "-Properties LockedOut, PasswordExpired, Enabled",
)
_SEE_DIRECTORY_ACCOUNT = in_entra(
    "An administrator of the directory sees the state of the account {user}",
    "az ad user show --id {user} --query accountEnabled",
)
_BROWSER_ALONE = by_device_code(
    "A user of another company, or of a federated domain, signs in with a browser alone"
)


def _password_wrong(failure: FailureContext) -> Explanation | None:
    refused = refused_user(failure, PASSWORD_WRONG)
    if refused is None:
        return None
    fault, identity = refused
    title = "The sign-in service does not take this user name and password"
    secret = put_secret(identity.credential, "password")
    if fault.code == _NO_USER:
        title, secret = f"The directory has no user {identity.username}", ()
    elif is_adfs(fault):
        title += ", or the account is locked, disabled or expired: AD FS does not tell which"
    remedies = (
        *secret,
        _CHECK_NAME.fill(identity=section_of(identity), who=who(identity)),
        *_see_account(failure, fault, identity),
        *fill_device_code(_BROWSER_ALONE, failure, identity),
    )
    return Explanation(title, refused_user_lines(failure, refused), remedies)


def _see_account(
    failure: FailureContext, fault: SignInFault, identity: Identity
) -> tuple[Remedy, ...]:
    """Return where an administrator sees the state of an account."""
    if not identity.username:
        return ()
    if failure.adfs_signs_in:
        return (_SEE_DOMAIN_ACCOUNT.fill(user=identity.username),)
    return (fill_in_entra(_SEE_DIRECTORY_ACCOUNT, fault.authority, user=identity.username),)


PASSWORD_WRONG = FaultInfo(
    id="password-wrong",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="User name or password is wrong, or the user is not in this directory.",
    distinguishing_evidence=(
        "AADSTS50126, or AADSTS50034 where there is no such user. AD FS says the same of a wrong "
        "name, a wrong password and a locked account (MSIS9659). Entra has codes of their own "
        "for `account-locked`, `account-disabled` and `password-expired`."
    ),
    az_says=(
        "AADSTS50126: Error validating credentials due to invalid username or password. … / "
        "AADSTS50034: The user account … does not exist in the directory. … / MSIS9659: Invalid "
        "'username' or 'password'. / ID3242: The security token could not be authenticated or "
        "authorized."
    ),
    patterns={
        MessagePattern(
            "the federation server refused the user",
            r"federated service at .{1,90}returned error|federated_service_returned_error"
            r"|unknown_user_type|parsing_wstrust_response_failed",
        ): 60,
        MessagePattern(
            "user or password is refused",
            r"invalid username or password|invalid 'username' or 'password'",
        ): 82,
        # WS-Trust's, of an AD FS to which Entra leads the users of a federated domain.
        MessagePattern(
            "ID3242", r"\bid3242\b|security token could not be authenticated or authorized"
        ): 84,
        GRANT_REFUSED: 36,
    },
    remedies=(
        SET_SECRET_VARIABLE,
        PUT_SECRET_FILE,
        _CHECK_NAME,
        _SEE_DIRECTORY_ACCOUNT,
        _SEE_DOMAIN_ACCOUNT,
        _BROWSER_ALONE,
        AZ_DEVICE_CODE,
    ),
    # AD FS has one code for an unknown user, a wrong password and a locked account.
    refusal=Refusal(frozenset({"AADSTS50126", _NO_USER, "MSIS9659"}), INVALID_GRANT),
    rules=(_password_wrong,),
)


# account-locked

_WAIT_FOR_LOCK = RemedyTemplate(
    "Wait until the lock ends (minutes; longer after each further attempt), then check "
    "again: every attempt before that makes it longer",
    "sleep 600 && stacktui check{environment}",
    "Start-Sleep -Seconds 600; stacktui check{environment}",
)
_FIND_OLD_PASSWORD = RemedyTemplate(
    "Find what else signs in as {who} with an old password: a script, a service, another machine",
    shown=WHO,
)


def _account_locked(failure: FailureContext) -> Explanation | None:
    refused = refused_user(failure, ACCOUNT_LOCKED)
    if refused is None:
        return None
    _, identity = refused
    remedies = (
        _WAIT_FOR_LOCK.fill(**failure.placeholders),
        _FIND_OLD_PASSWORD.fill(who=who(identity)),
        *put_secret(identity.credential, "password"),
    )
    title = f"The account of {who(identity)} is locked after too many wrong attempts"
    return Explanation(title, refused_user_lines(failure, refused), remedies)


ACCOUNT_LOCKED = FaultInfo(
    id="account-locked",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The account is locked after too many wrong attempts.",
    distinguishing_evidence=(
        "AADSTS50053; the password may be right. A script with an old password locks it again "
        "and again. A throttled service is `login-throttled`."
    ),
    az_says=(
        "AADSTS50053: The account is locked, you've tried to sign in too many times with an "
        "incorrect user ID or password."
    ),
    patterns={MessagePattern("the account is locked", r"account is locked"): 86},
    remedies=(_WAIT_FOR_LOCK, _FIND_OLD_PASSWORD, SET_SECRET_VARIABLE, PUT_SECRET_FILE),
    refusal=Refusal(frozenset({"AADSTS50053"}), INVALID_GRANT),
    rules=(_account_locked,),
)


# account-disabled

_ENABLE = in_entra(
    "An administrator of the directory enables it",
    "az ad user update --id {user} --account-enabled true",
)
_OTHER_ACCOUNT = RemedyTemplate(
    "Or another account signs in: username and password under {identity}", shown=WHO
)


def _account_disabled(failure: FailureContext) -> Explanation | None:
    refused = refused_user(failure, ACCOUNT_DISABLED)
    if refused is None:
        return None
    fault, identity = refused
    user = identity.username
    enable = _ENABLE if user else replace(_ENABLE, bash="", powershell="")
    remedies = (
        fill_in_entra(enable, fault.authority, user=user),
        _OTHER_ACCOUNT.fill(identity=section_of(identity)),
    )
    title = f"The account of {who(identity)} is disabled"
    return Explanation(title, refused_user_lines(failure, refused), remedies)


ACCOUNT_DISABLED = FaultInfo(
    id="account-disabled",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The account is disabled.",
    distinguishing_evidence=(
        "AADSTS50057; the password does not matter. A lock that ends by itself is `account-locked`."
    ),
    az_says="AADSTS50057: The user account is disabled.",
    patterns={MessagePattern("the account is disabled", r"user account is disabled"): 86},
    remedies=(_ENABLE, _OTHER_ACCOUNT),
    refusal=Refusal(frozenset({"AADSTS50057"}), INVALID_GRANT),
    rules=(_account_disabled,),
)


# password-expired

# The codes for an earlier sign-in that has ended: revoked, as the password was changed, or over.
_SIGN_IN_ENDED = frozenset({"AADSTS50173", "AADSTS700082", "AADSTS70043", "MSIS9615"})
_SIGN_IN_AGAIN = checking_again("Run the check again: it signs in anew")
_NEW_PASSWORD = RemedyTemplate(
    "Sign in to {portal} with a browser: it asks for a new password",
    shown={"portal": "the stamp's portal"},
)


def _password_expired(failure: FailureContext) -> Explanation | None:
    refused = refused_user(failure, PASSWORD_EXPIRED)
    if refused is None:
        return None
    fault, identity = refused
    if fault.code in _SIGN_IN_ENDED:
        title = f"The earlier sign-in of {who(identity)} has ended: it takes a new one"
        again = _SIGN_IN_AGAIN.fill(**failure.placeholders)
        remedies = (again, *put_secret(identity.credential, "password"))
        return Explanation(title, refused_user_lines(failure, refused), remedies)
    remedies = (
        _NEW_PASSWORD.fill(portal=failure.portal),
        *put_secret(identity.credential, "password"),
        use_application(identity),
    )
    title = f"The password of {who(identity)} was right, and has expired"
    return Explanation(title, refused_user_lines(failure, refused), remedies)


PASSWORD_EXPIRED = FaultInfo(
    id="password-expired",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The password, or an earlier sign-in, has expired.",
    distinguishing_evidence=(
        "AADSTS50055: it was right. AADSTS50173 or MSIS9615: an earlier sign-in was revoked, as "
        "the password was changed, or is over. A wrong password is `password-wrong`."
    ),
    az_says=(
        "AADSTS50055: The password is expired. / AADSTS50173: The provided grant has expired "
        "due to it being revoked, a fresh auth token is needed. …"
    ),
    patterns={
        MessagePattern("the password has expired", r"password is expired|password has expired"): 86,
        MessagePattern(
            "an earlier sign-in was revoked", r"grant has expired due to it being revoked"
        ): 86,
    },
    remedies=(
        _NEW_PASSWORD,
        _SIGN_IN_AGAIN,
        SET_SECRET_VARIABLE,
        PUT_SECRET_FILE,
        USE_APPLICATION,
    ),
    refusal=Refusal(
        frozenset({"AADSTS50055"}) | _SIGN_IN_ENDED, INVALID_GRANT | {"interaction_required"}
    ),
    rules=(_password_expired,),
)

FAULTS = (PASSWORD_WRONG, ACCOUNT_LOCKED, ACCOUNT_DISABLED, PASSWORD_EXPIRED)
