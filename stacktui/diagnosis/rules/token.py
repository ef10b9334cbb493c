"""No token: what the identity lacks, or what the sign-in service said (`refusals`)."""

from __future__ import annotations

from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.mends import put_secret
from stacktui.diagnosis.rules import refusals
from stacktui.diagnosis.shell import bash, powershell, toml_table
from stacktui.identities.faults import CertificateFault, CertificateProblem, SecretFault
from stacktui.identities.model import IdentityKind


@rule("secret-missing", Side.BOX, "nothing: az keeps its own copy of the secret, or asks for it")
def secret_missing(case: FailureContext) -> Explained | None:
    fault = case.fault
    identity = case.identity
    if not isinstance(fault, SecretFault) or identity is None:
        return None
    what = "password" if identity.kind is IdentityKind.USER else "secret"
    remedies = (
        *put_secret(identity.credential, what),
        Remedy(
            f"Change where the {what} comes from: {what} under "
            f"{toml_table('identities', identity.name)}"
        ),
    )
    title = f"The {what} of identity {identity.name} is not there"
    return title, (f"{fault.reference}: {fault.detail}",), remedies


@rule("sp-cert-unusable", Side.BOX, "Invalid certificate / Unable to load certificate …")
def sp_cert_unusable(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, CertificateFault):
        return None
    name = case.identity.name if case.identity else "?"
    title = f"The certificate of identity {name} cannot sign in: {_CERT_WORDS[fault.problem]}"
    return title, (f"{fault.path}: {fault.detail}",), _cert_remedies(fault, name)


_CERT_WORDS = {
    CertificateProblem.MISSING: "the file is not there",
    CertificateProblem.UNREADABLE: "the file cannot be read",
    CertificateProblem.NO_CERTIFICATE: "the file holds no certificate",
    CertificateProblem.NO_KEY: "its private key is missing",
    CertificateProblem.ENCRYPTED: "its private key is encrypted",
    CertificateProblem.PFX: "it is not in PEM form",
    CertificateProblem.KEY_MISMATCH: "key and certificate do not belong together",
    CertificateProblem.EXPIRED: "it has expired",
    CertificateProblem.NOT_YET_VALID: "it is not valid yet",
    CertificateProblem.KEY_TYPE: "its key is not RSA",
}


def _cert_remedies(fault: CertificateFault, name: str) -> tuple[Remedy, ...]:
    path, pem = fault.path, f"{fault.path}.pem"
    setting = f"certificate under {toml_table('identities', name)}"
    match fault.problem:
        case CertificateProblem.PFX:
            return (
                Remedy(
                    f"Convert it to PEM with key, then point {setting} at {pem}",
                    f"stacktui certificates convert {bash(path)} {bash(pem)}",
                    f"stacktui certificates convert {powershell(path)} {powershell(pem)}",
                ),
            )
        case CertificateProblem.ENCRYPTED:
            return (
                Remedy(
                    f"Write key and certificate to a file only you can read, then point {setting} "
                    f"at {pem}",
                    f"(umask 077; {{ openssl pkey -in {bash(path)}; "
                    f"openssl x509 -in {bash(path)}; }} > {bash(pem)})",
                    f"(openssl pkey -in {powershell(path)}), (openssl x509 -in {powershell(path)}) "
                    f"| Set-Content {powershell(pem)}",
                ),
            )
        case CertificateProblem.MISSING | CertificateProblem.UNREADABLE:
            return (
                Remedy(
                    f"Put the file there, readable by you, or change {setting}",
                    f"ls -l -- {bash(path)}",
                    f"Get-Item {powershell(path)}",
                ),
            )
        case CertificateProblem.EXPIRED:
            return (Remedy("Register a new certificate for the application, and put it there"),)
        case CertificateProblem.NOT_YET_VALID:
            return (
                Remedy(
                    "Check this box's clock first",
                    "timedatectl status",
                    "w32tm /query /status",
                ),
            )
    return (
        Remedy(
            f"{setting} must name one PEM file with the certificate and its RSA private key",
            f"openssl x509 -in {bash(path)} -noout -subject -enddate; "
            f"openssl pkey -in {bash(path)} -noout -check",
            f"openssl x509 -in {powershell(path)} -noout -subject -enddate",
        ),
    )


RULES: tuple[Rule[FailureContext], ...] = (secret_missing, sp_cert_unusable, *refusals.RULES)
