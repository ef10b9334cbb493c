"""Faults of the certificate that an application signs in with.

The codes of sign-in services are those of PROTOCOL.md section 2.
"""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.catalogue.trust_files import REPAIR, repairing
from stacktui.diagnosis.clocks import clock_line, is_skewed
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.entra_commands import fill_in_entra, in_entra
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group, Refusal
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.sign_in import (
    ASSERTION_AUDIENCE,
    ASSERTION_REFUSED,
    INVALID_CLIENT,
    SECRET_REFUSED,
)
from stacktui.diagnosis.messages.tls import NOTHING_IN_PEM
from stacktui.diagnosis.remedies import (
    CHECK_TENANT,
    CLOCK_STATUS,
    PUT_KEYRING_ENTRY,
    PUT_SECRET_FILE,
    SET_OWN_TENANT,
    SET_SECRET_VARIABLE,
    TYPE_SECRET,
    editing,
    fetching,
    fill_fetching,
    own_tenant,
    put_secret,
)
from stacktui.diagnosis.remedy_template import RemedyTemplate, for_both
from stacktui.diagnosis.sign_in_facts import (
    ADFS_BAD_CREDENTIAL,
    CLIENT_ERRORS,
    certificate_unknown,
    is_adfs,
    refusal,
    tenant_lines,
)
from stacktui.identities.faults import CertificateFault, CertificateProblem, SignInFault
from stacktui.identities.model import CertificateRef
from stacktui.text.shell import toml_table

_APPLICATION = {"client": "CLIENT-ID"}


# sp-cert-unusable

_WORDS = {
    CertificateProblem.MISSING: "the file is not there",
    CertificateProblem.UNREADABLE: "the file cannot be read",
    CertificateProblem.NO_CERTIFICATE: "the file holds no certificate that can be read",
    CertificateProblem.NO_KEY: "its private key is missing",
    CertificateProblem.ENCRYPTED: "its private key is encrypted",
    CertificateProblem.PFX: "it is an encrypted PFX",
    CertificateProblem.WRONG_PASSWORD: "the password does not open it",
    CertificateProblem.KEY_MISMATCH: "key and certificate do not belong together",
    CertificateProblem.EXPIRED: "it has expired",
    CertificateProblem.NOT_YET_VALID: "it is not valid yet",
    CertificateProblem.KEY_TYPE: "its key is not RSA",
    CertificateProblem.MALFORMED: "the file's form is not what programs read",
}
_SHOWN = {"identity": "the identity", "path": "FILE", "pem": "FILE.pem"}
_NAME_PASSWORD = editing(
    'Name where its password is, with the line certificate_password = { env = "NAME" } under '
    "{identity}",
    **_SHOWN,
)
_CONVERT_PFX = for_both(
    "Convert it to PEM with key, then point certificate under {identity} at {pem}",
    "stacktui certificates convert {path} {pem}",
    **_SHOWN | {"path": "FILE.pfx"},
)
_DECRYPT = RemedyTemplate(
    "Write key and certificate to a file only you can read, then point certificate under "
    "{identity} at {pem}",
    "(umask 077; { openssl pkey -in {path}; openssl x509 -in {path}; } > {pem})",
    "(openssl pkey -in {path}), (openssl x509 -in {path}) | Set-Content {pem}",
    _SHOWN,
)
_PUT_FILE = RemedyTemplate(
    "Put the file there, readable by you, or change certificate under {identity}",
    "ls -l -- {path}",
    "Get-Item {path}",
    _SHOWN,
)
_REGISTER_NEW = for_both(
    "Register a new certificate for the application, and put it there; this is the old one",
    "openssl x509 -in {path} -noout -subject -enddate",
    **_SHOWN,
)
_NAME_FILE = RemedyTemplate(
    "certificate under {identity} must name one PEM or PFX file with the certificate and its RSA "
    "private key",
    "openssl x509 -in {path} -noout -subject -enddate; openssl pkey -in {path} -noout -check",
    "openssl x509 -in {path} -noout -subject -enddate",
    _SHOWN,
)


def _sp_cert_unusable(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, CertificateFault):
        return None
    identity = failure.identity
    name = identity.name if identity else "?"
    title = f"The certificate of identity {name} cannot sign in: {_WORDS[fault.problem]}"
    evidence = [f"{fault.path}: {fault.detail}"]
    if fault.problem is CertificateProblem.WRONG_PASSWORD and identity and identity.secret:
        evidence.append(f"the password came from {identity.secret}")
        remedies = put_secret(identity.secret, "right password")
        return Explanation(title, tuple(evidence), remedies)
    return Explanation(title, tuple(evidence), _usable_certificate(failure, fault, name))


def _usable_certificate(
    failure: FailureContext, fault: CertificateFault, name: str
) -> tuple[Remedy, ...]:
    match fault.problem:
        case CertificateProblem.EXPIRED:
            return (_REGISTER_NEW.fill(path=fault.path),)
        case CertificateProblem.NOT_YET_VALID:
            return (CLOCK_STATUS.fill(),)
        case CertificateProblem.MALFORMED:
            return (repairing(fault.path),)
        case CertificateProblem.PFX:
            templates: tuple[RemedyTemplate, ...] = (_NAME_PASSWORD, _CONVERT_PFX)
        case CertificateProblem.ENCRYPTED:
            templates = (_NAME_PASSWORD, _DECRYPT)
        case CertificateProblem.MISSING | CertificateProblem.UNREADABLE:
            templates = (_PUT_FILE,)
        case _:
            templates = (_NAME_FILE,)
    identity, path = toml_table("identities", name), fault.path
    return tuple(
        each.fill(**failure.placeholders, identity=identity, path=path, pem=f"{path}.pem")
        for each in templates
    )


SP_CERT_UNUSABLE = FaultInfo(
    id="sp-cert-unusable",
    group=Group.TOKEN,
    sides=(Side.BOX,),
    meaning="The certificate's file cannot sign in.",
    distinguishing_evidence=(
        "The file is missing, has no key or another's, is encrypted where the config has no "
        "password or a wrong one, has expired, or is made in a way that programs do not read (the "
        "report says which, and on which line). Nothing was sent; what "
        "the service refuses is `sp-cert-rejected`. A password that is not there is "
        "`secret-missing`."
    ),
    az_says="Invalid certificate / Unable to load certificate …",
    patterns={
        NOTHING_IN_PEM: 62,
        MessagePattern(
            "the certificate's file cannot sign in",
            r"invalid certificate(?! \()|unable to load certificate"
            r"|could not deserialize key data|bad decrypt"
            r"|password was not given but private key|private key is encrypted"
            r"|deserialize certificate in pem or pkcs12|could not deserialize pkcs12"
            r"|invalid password or pkcs12|mac verif(?:y|ication) (?:error|fail)"
            r"|pkcs12: decryption|keystore password was incorrect"
            r"|network password is not correct|key[s_ ]{1,3}values[_ ]mismatch"
            r"|does not match the public key|not have a private key|no private key"
            r"|could not load certificate file|pem certificate provided does not contain"
            r"|invalid provider type specified|failed to find any pem data"
            r"|encode character .{0,2}(?:\\ufeff|\ufeff)|loading client certificate"
            r"|digital envelope routines.{0,60}unsupported|could not load pem client certificate"
            r"|unable to set private key",
        ): 82,
    },
    remedies=(
        REPAIR,
        _PUT_FILE,
        _NAME_PASSWORD,
        _CONVERT_PFX,
        _DECRYPT,
        SET_SECRET_VARIABLE,
        PUT_SECRET_FILE,
        PUT_KEYRING_ENTRY,
        TYPE_SECRET,
        _NAME_FILE,
        CLOCK_STATUS,
        _REGISTER_NEW,
    ),
    rules=(_sp_cert_unusable,),
)


# sp-cert-rejected

_CERT_REJECTED = Refusal(
    frozenset({ASSERTION_REFUSED.code, ASSERTION_AUDIENCE.code}) | ADFS_BAD_CREDENTIAL,
    CLIENT_ERRORS,
)
_COMPARE_CERTIFICATE = for_both(
    "Compare its dates and SHA-1 thumbprint, the one that portals show, with those of the "
    "application's certificates",
    "openssl x509 -in {path} -noout -fingerprint -sha1 -subject -dates",
    path="FILE",
)
_ADD_CERTIFICATE = in_entra(
    "If it is not there, add it (without its key) to application {client}",
    "az ad app credential reset --id {client} --cert {at_public} --append",
    prepared_by="openssl x509 -in {path} -out {public}",
    **_APPLICATION | {"path": "FILE", "public": "FILE.crt", "at_public": "'@FILE.crt'"},
)
_ADD_ADFS_CERTIFICATE = RemedyTemplate(
    "If it is another, the stamp's operator registers this one at the privileged endpoint, from a "
    "file of the certificate without its key",
    powershell="$cert = [Security.Cryptography.X509Certificates.X509Certificate2]::new({public}); "
    "Invoke-Command -Session $pep { Set-GraphApplication -ApplicationIdentifier {client} "
    "-ClientCertificates $using:cert }",
    shown=_APPLICATION | {"public": "'FILE.crt'"},
)


# MSAL reads the assertion's audience there.
_DISCOVERY = "/v2.0/.well-known/openid-configuration"
_SEE_AUTHORITY = fetching(
    "See which token endpoint the login host names: it must be of the tenant that is asked, on the "
    "same host",
    f"https://HOST/TENANT{_DISCOVERY}",
)


def _sp_cert_rejected(failure: FailureContext) -> Explanation | None:
    refused = refusal(failure, _CERT_REJECTED)
    if refused is None:
        return None
    fault, identity = refused
    reference, elsewhere = identity.credential, fault.code == ASSERTION_AUDIENCE.code
    if not isinstance(reference, CertificateRef):
        return None
    if is_skewed(failure.last) and not (elsewhere or certificate_unknown(fault)):
        return None  # a wrong clock gives the same error: clock-skew
    evidence = [f"application {identity.client_id}", f"it signed in with {reference}"]
    if fault.thumbprint:
        kind = "SHA-1" if is_adfs(fault) else "SHA-256"
        evidence.append(
            f"the certificate that was sent has the {kind} thumbprint {fault.thumbprint}"
        )
    if elsewhere:
        evidence += [*tenant_lines(failure, identity), *fault_lines(fault)]
        title = "The certificate's assertion is made out to another authority than the one asked"
        see = fill_fetching(_SEE_AUTHORITY, failure, f"{fault.authority}{_DISCOVERY}")
        return Explanation(title, tuple(evidence), (own_tenant(failure, identity), see))
    evidence += [*clock_line(failure.last), *fault_lines(fault)]
    title = "The sign-in service does not take the application's certificate"
    remedies = _register_certificate(fault, identity.client_id, str(reference.path))
    return Explanation(title, tuple(evidence), remedies)


def _register_certificate(fault: SignInFault, client: str, path: str) -> tuple[Remedy, ...]:
    compare, public = _COMPARE_CERTIFICATE.fill(path=path), f"{path}.crt"
    if is_adfs(fault):
        return (compare, _ADD_ADFS_CERTIFICATE.fill(public=public, client=client))
    added = fill_in_entra(
        _ADD_CERTIFICATE,
        fault.authority,
        path=path, public=public, client=client, at_public=f"@{public}",
    )  # fmt: skip
    return (compare, added)


SP_CERT_REJECTED = FaultInfo(
    id="sp-cert-rejected",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The sign-in service does not take the application's certificate.",
    distinguishing_evidence=(
        "AADSTS700027, or AD FS's MSIS9622 or MSIS9612 while signing in with a certificate; the "
        "report has the thumbprint that was sent. AADSTS700023: what was signed is made out to "
        "another tenant or host than the one that was asked. Where this machine's clock is far "
        "off, it is `clock-skew`; with a secret, AD FS's codes are `sp-secret-wrong`."
    ),
    az_says=(
        "AADSTS700027: The certificate with identifier used to sign the client assertion is not "
        "registered on application. … / MSIS9622: Client authentication failed. …"
    ),
    patterns={
        ASSERTION_AUDIENCE: 70,
        MessagePattern(
            "the certificate is not registered on the application",
            ASSERTION_REFUSED.regex,
            also=r"key was not found|is not registered on application",
        ): 96,
        SECRET_REFUSED: 50,
        INVALID_CLIENT: 43,
    },
    remedies=(
        _COMPARE_CERTIFICATE,
        _ADD_CERTIFICATE,
        _ADD_ADFS_CERTIFICATE,
        CHECK_TENANT,
        SET_OWN_TENANT,
        _SEE_AUTHORITY,
    ),
    refusal=_CERT_REJECTED,
    rules=(_sp_cert_rejected,),
)
