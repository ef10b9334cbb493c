"""Faults of people and machines that sign in: accounts, device codes, managed identities."""

from __future__ import annotations

from stacktui.diagnosis.entries.model import AGAIN, Entry, Group, same
from stacktui.diagnosis.finding import Remedy, Side

_DEVICE_CODE = same(
    "Sign in by device code: it is the way that works with MFA", "az login --use-device-code"
)

USERS = (
    Entry(
        "password-wrong",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "User name or password is wrong, or the user is not in this directory.",
        "AADSTS50126, or AADSTS50034 where there is no such user. AD FS says the same of a wrong "
        "name, a wrong password and a locked account (MSIS9659). Entra has codes of their own "
        "for `account-locked`, `account-disabled` and `password-expired`.",
        (
            Remedy("Type both again; check tenant under the identity"),
            Remedy("Else whoever looks after the accounts sets a new password"),
        ),
        "AADSTS50126: Error validating credentials due to invalid username or password. … / "
        "AADSTS50034: The user account … does not exist … / MSIS9659: Invalid 'username' or "
        "'password'.",
    ),
    Entry(
        "account-locked",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The account is locked after too many wrong attempts.",
        "AADSTS50053; the password may be right. A script with an old password locks it again "
        "and again. A throttled service is `login-throttled`.",
        (
            Remedy("Wait until the lock ends, or have it taken off by an administrator"),
            Remedy("Find what else signs in with an old password"),
        ),
        "AADSTS50053: The account is locked, you've tried to sign in too many times …",
    ),
    Entry(
        "account-disabled",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The account is disabled.",
        "AADSTS50057; the password does not matter. A lock that ends by itself is "
        "`account-locked`.",
        (Remedy("An administrator of the directory enables it, or you use another account"),),
        "AADSTS50057: The user account is disabled. …",
    ),
    Entry(
        "password-expired",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The password has expired.",
        "AADSTS50055: it was right. A wrong one is `password-wrong`.",
        (Remedy("Sign in to the portal with a browser, and set a new password"),),
        "AADSTS50055: The password is expired. …",
    ),
    Entry(
        "mfa-required",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "This user must prove more than a password (MFA).",
        "AADSTS50076 or AADSTS50079: the password was right. A policy that forbids the sign-in "
        "altogether is `conditional-access`.",
        (_DEVICE_CODE, Remedy("For scripts, use a service principal: it has no MFA")),
        "AADSTS50076: Due to a configuration change made by your administrator, or because you "
        "moved to a new location, you must use multi-factor authentication …",
    ),
    Entry(
        "conditional-access",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "A policy of the directory forbids this sign-in.",
        "AADSTS53003: user and password were right, and the policy asks for another device, "
        "place or client. MFA alone is `mfa-required`.",
        (
            _DEVICE_CODE,
            Remedy("An administrator of the directory reads its sign-in logs for the policy"),
        ),
        "AADSTS53003: Access has been blocked by Conditional Access policies. …",
    ),
    Entry(
        "consent-required",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "Nobody has consented to this application's access.",
        "AADSTS65001: application and user are known. An application that is not in the "
        "directory is `app-not-found`.",
        (
            same(
                "An administrator of the directory consents",
                "az ad app permission admin-consent --id CLIENT-ID",
            ),
        ),
        "AADSTS65001: The user or administrator has not consented to use the application …",
    ),
    Entry(
        "device-code-expired",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The device code was not used in time.",
        "AADSTS70019 or expired_token: nobody answered. Somebody who said no is "
        "`device-code-declined`.",
        (_DEVICE_CODE,),
        "AADSTS70019: Verification code expired. …",
    ),
    Entry(
        "device-code-declined",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The sign-in was declined in the browser, or another code was typed.",
        "AADSTS70018 or authorization_declined. A code that nobody used is `device-code-expired`.",
        (_DEVICE_CODE,),
        "AADSTS70018: … / authorization_declined",
    ),
    Entry(
        "login-throttled",
        Group.TOKEN,
        (Side.SIGN_IN,),
        "The sign-in service was asked too often.",
        "429 or AADSTS90055, with the time to wait where it says one (Retry-After). A lock of "
        "one account is `account-locked`; ARM's own 429 `arm-throttled`.",
        (
            AGAIN,
            Remedy("Find what signs in so often: a script should keep its token until it ends"),
        ),
        "AADSTS90055: The request was throttled. … / 429",
    ),
    Entry(
        "imds-unreachable",
        Group.TOKEN,
        (Side.BOX,),
        "The managed identity's service (169.254.169.254) cannot be reached.",
        "No way there, or silence: this box is no VM of the stamp's, or a proxy or firewall "
        "swallows the address. Where it answers that there is no identity, it is "
        "`imds-no-identity`.",
        (
            Remedy(
                "See whether it answers, never by a proxy",
                "curl -sS -m 5 --noproxy '*' -H Metadata:true "
                "'http://169.254.169.254/metadata/instance?api-version=2018-02-01'",
                "curl.exe -sS -m 5 --noproxy '*' -H Metadata:true "
                "'http://169.254.169.254/metadata/instance?api-version=2018-02-01'",
            ),
            Remedy("On a box that is no VM of the stamp's, sign in as a service principal"),
        ),
        "Failed to connect to MSI. Please make sure MSI is configured correctly.",
    ),
    Entry(
        "imds-no-identity",
        Group.TOKEN,
        (Side.BOX,),
        "This VM has no managed identity, or not the one that was asked for.",
        "The service answers 400 “Identity not found”. Where it does not answer, it is "
        "`imds-unreachable`; where it says to come back, `imds-unavailable`.",
        (
            same("Assign an identity to the VM", "az vm identity assign -g GROUP -n VM"),
            Remedy("Check client_id under the identity, if it names one"),
        ),
        "invalid_request: Identity not found",
    ),
    Entry(
        "imds-unavailable",
        Group.TOKEN,
        (Side.BOX,),
        "The managed identity's service is busy, or is being updated.",
        "It answers 404, 410, 429 or 5xx, and comes back by itself, after a 410 within 70 "
        "seconds. A 400 is `imds-no-identity`.",
        (AGAIN,),
        "MSI: Failed to retrieve a token from 'http://169.254.169.254/…' … 410 / 429 / 500",
    ),
)
