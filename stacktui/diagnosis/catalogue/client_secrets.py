"""Faults of an application's secret: missing, wrong or expired.

The codes of sign-in services are those of PROTOCOL.md section 2.
"""

from __future__ import annotations

import sys

from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.entra_commands import fill_in_entra, in_entra
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group, Refusal
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.sign_in import INVALID_CLIENT, NO_CREDENTIAL, SECRET_REFUSED
from stacktui.diagnosis.remedies import (
    PUT_KEYRING_ENTRY,
    PUT_SECRET_FILE,
    SET_SECRET_VARIABLE,
    TYPE_SECRET,
    put_secret,
)
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.diagnosis.sign_in_facts import (
    ADFS_BAD_CREDENTIAL,
    CLIENT_ERRORS,
    is_adfs,
    refusal,
    section_of,
)
from stacktui.identities.faults import NO_KEYRING, SecretFault
from stacktui.identities.model import CertificateRef, IdentityKind

_APPLICATION = {"client": "CLIENT-ID"}


# secret-missing

_CHANGE_SOURCE = RemedyTemplate(
    "Change where the {what} comes from: {key} under {identity}",
    shown={"what": "secret", "key": "secret", "identity": "the identity"},
)
_INSTALL_KEYRING = RemedyTemplate(
    "Install the package keyring beside stacktui",
    "{python} -m pip install keyring",
    "& {python} -m pip install keyring",
    {"python": "python"},
)
_NO_CREDENTIAL = Refusal(frozenset({NO_CREDENTIAL.code}), CLIENT_ERRORS)


def _secret_missing(failure: FailureContext) -> Explanation | None:
    fault, identity = failure.fault, failure.identity
    if not isinstance(fault, SecretFault) or identity is None:
        return None
    what = identity.secret_name
    install = fault.detail == NO_KEYRING
    remedies = (
        *([_INSTALL_KEYRING.fill(python=sys.executable)] if install else []),
        *put_secret(identity.secret, what),
        _CHANGE_SOURCE.fill(what=what, key=identity.secret_key, identity=section_of(identity)),
    )
    title = f"The {what} of identity {identity.name} is not there"
    return Explanation(title, (f"{fault.reference}: {fault.detail}",), remedies)


def _secret_not_seen(failure: FailureContext) -> Explanation | None:
    refused = refusal(failure, _NO_CREDENTIAL)
    if refused is None or refused[1].kind is not IdentityKind.SERVICE_PRINCIPAL:
        return None  # a user signs in without a secret: app-not-public
    fault, identity = refused
    what = "certificate" if isinstance(identity.credential, CertificateRef) else "secret"
    evidence = (
        f"application {identity.client_id}",
        f"the {what} comes from {identity.credential}",
        *fault_lines(fault),
    )
    remedies = (
        *put_secret(identity.credential, what),
        _CHANGE_SOURCE.fill(what=what, key=what, identity=section_of(identity)),
    )
    title = f"The sign-in service was sent no {what} of the application's"
    return Explanation(title, evidence, remedies)


SECRET_MISSING = FaultInfo(
    id="secret-missing",
    group=Group.TOKEN,
    sides=(Side.BOX,),
    meaning="The secret's variable, file or keyring entry holds nothing.",
    distinguishing_evidence=(
        "Nothing was sent to the sign-in service, or it says that no secret came (AADSTS7000218 "
        "of an application; of a user `app-not-public`); the report names the reference. A secret "
        "that is there and wrong is `sp-secret-wrong`."
    ),
    az_says="nothing: az keeps its own copy of the secret, or asks for it",
    patterns={
        NO_CREDENTIAL: 80,
        MessagePattern(
            "the variables that hold the credential are not all set",
            r"environment variables are not fully configured|missing environment variable",
        ): 56,
    },
    remedies=(
        SET_SECRET_VARIABLE,
        PUT_SECRET_FILE,
        _INSTALL_KEYRING,
        PUT_KEYRING_ENTRY,
        TYPE_SECRET,
        _CHANGE_SOURCE,
    ),
    refusal=_NO_CREDENTIAL,
    rules=(_secret_missing, _secret_not_seen),
)


# sp-secret-wrong

_SECRET_WRONG = Refusal(frozenset({"AADSTS7000215"}) | ADFS_BAD_CREDENTIAL, CLIENT_ERRORS)
_CHECK_VALUE = RemedyTemplate(
    "Check that the secret's value was pasted, not its id: the portal shows both, and the value "
    "only once"
)
_NEW_SECRET = in_entra(
    "{make} a new secret for application {client}, and put it there",
    "az ad app credential reset --id {client} --append",
    **_APPLICATION | {"make": "Make"},
)
# AD FS's applications are visible only at the operator's privileged endpoint.
_NEW_ADFS_SECRET = RemedyTemplate(
    "If it is the right secret, the stamp's operator makes a new one at the privileged endpoint",
    powershell="Invoke-Command -Session $pep { Set-GraphApplication "
    "-ApplicationIdentifier {client} -ResetClientSecret }",
    shown=_APPLICATION,
)


def _sp_secret_wrong(failure: FailureContext) -> Explanation | None:
    refused = refusal(failure, _SECRET_WRONG)
    if refused is None or isinstance(refused[1].credential, CertificateRef):
        return None
    if refused[1].kind is not IdentityKind.SERVICE_PRINCIPAL:
        return None  # no application secret was sent
    fault, identity = refused
    evidence = (f"the secret came from {identity.credential}", *fault_lines(fault))
    if fault.secret_looks_like_id:
        evidence = ("what was sent has the form of an id, not of a secret", *evidence)
    client = identity.client_id
    put = put_secret(identity.credential, "right secret")
    remedies = (
        (*put, _NEW_ADFS_SECRET.fill(client=client))
        if is_adfs(fault)
        else (
            _CHECK_VALUE.fill(),
            *put,
            fill_in_entra(_NEW_SECRET, fault.authority, client=client, make="Else make"),
        )
    )
    title = "The sign-in service refuses the application's secret"
    return Explanation(title, (f"application {client}", *evidence), remedies)


SP_SECRET_WRONG = FaultInfo(
    id="sp-secret-wrong",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The sign-in service refuses the application's secret.",
    distinguishing_evidence=(
        "AADSTS7000215, or AD FS's MSIS9622 or MSIS9612 while signing in with a secret; often the "
        "secret's id was pasted in place of its value, which the report sees by its form. Entra "
        "has a code of its own for `sp-secret-expired`, AD FS has not; with a certificate the same "
        "code is `sp-cert-rejected`."
    ),
    az_says=(
        "AADSTS7000215: Invalid client secret provided. … / MSIS9622: Client authentication "
        "failed. …"
    ),
    patterns={NO_CREDENTIAL: 60, SECRET_REFUSED: 62, INVALID_CLIENT: 44},
    remedies=(
        _CHECK_VALUE,
        SET_SECRET_VARIABLE,
        PUT_SECRET_FILE,
        PUT_KEYRING_ENTRY,
        TYPE_SECRET,
        _NEW_SECRET,
        _NEW_ADFS_SECRET,
    ),
    refusal=_SECRET_WRONG,
    rules=(_sp_secret_wrong,),
)


# sp-secret-expired

_SECRET_EXPIRED = Refusal(frozenset({"AADSTS7000222"}), CLIENT_ERRORS)
_SEE_SECRETS = in_entra(
    "See when the secrets of application {client} end",
    "az ad app credential list --id {client} --query '[].[displayName,endDateTime]'",
    **_APPLICATION,
)


def _sp_secret_expired(failure: FailureContext) -> Explanation | None:
    refused = refusal(failure, _SECRET_EXPIRED)
    if refused is None:
        return None
    fault, identity = refused
    client = identity.client_id
    evidence = (
        f"application {client}",
        f"the secret came from {identity.credential}",
        *fault_lines(fault),
    )
    remedies = (
        fill_in_entra(_NEW_SECRET, fault.authority, client=client, make="Make"),
        *put_secret(identity.credential, "new secret"),
        fill_in_entra(_SEE_SECRETS, fault.authority, client=client),
    )
    return Explanation("The application's secret has expired", evidence, remedies)


SP_SECRET_EXPIRED = FaultInfo(
    id="sp-secret-expired",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The application's secret has expired.",
    distinguishing_evidence=(
        "AADSTS7000222: the secret was right once. A wrong one is `sp-secret-wrong`, and AD FS "
        "says so of both."
    ),
    az_says="AADSTS7000222: The provided client secret keys for app '…' are expired. …",
    patterns={MessagePattern("the secret has expired", r"secret keys? .{0,80}expired"): 86},
    remedies=(
        _NEW_SECRET,
        SET_SECRET_VARIABLE,
        PUT_SECRET_FILE,
        PUT_KEYRING_ENTRY,
        TYPE_SECRET,
        _SEE_SECRETS,
    ),
    refusal=_SECRET_EXPIRED,
    rules=(_sp_secret_expired,),
)
