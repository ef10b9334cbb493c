"""Files of trusted certificates that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stacktui.certificates.certifi_repair import Installer
from stacktui.certificates.files import FileProblem
from stacktui.certificates.trust import CERTIFI, TrustFileFault
from stacktui.diagnosis.az_messages import AZ_NETWORK
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Action, ActionKind, Remedy, Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.tls import (
    CERTIFICATE_FILE_FORBIDDEN,
    CERTIFICATE_FILE_UNREADABLE,
    NOTHING_IN_PEM,
)
from stacktui.diagnosis.remedies import editing
from stacktui.diagnosis.remedy_template import RemedyTemplate, for_both

_CHANGE_CA = editing(
    "Point ca under {section} at the stamp's root in PEM form; take it out only if the base store "
    "or stacktui's own bundle holds that root"
)
UNSET_VARIABLE = RemedyTemplate(
    "Unset {variable}, or point it at a file of PEM certificates",
    "unset {variable}",
    "Remove-Item {env_variable}",
    {"variable": "REQUESTS_CA_BUNDLE", "env_variable": "Env:REQUESTS_CA_BUNDLE"},
)
_SEE_STORES = for_both(
    "See what is wrong with each store", "stacktui certificates stores{environment}"
)
_REINSTALL_TITLE = (
    "Reinstall certifi where stacktui runs; what was added to its bundle must be added again"
)
_REINSTALL = {
    Installer.PIP: RemedyTemplate(
        _REINSTALL_TITLE,
        "{python} -m pip install --force-reinstall certifi",
        "& {python} -m pip install --force-reinstall certifi",
    ),
    Installer.PIPX: for_both(
        _REINSTALL_TITLE, "pipx runpip {venv} install --force-reinstall certifi", venv="stacktui"
    ),
    Installer.UV: for_both(
        _REINSTALL_TITLE, "uv pip install --python {python} --reinstall certifi"
    ),
}
REINSTALL_THERE = {
    installer: replace(
        _REINSTALL[installer],
        title="Reinstall certifi there; what was added to its bundle must be added again",
        shown={"python": "PATH/bin/python"},
    )
    for installer in (Installer.PIP, Installer.UV)
}
_RESTORE = RemedyTemplate("Reinstall the package that {file} belongs to")
_USE_SYSTEM_BUNDLE = RemedyTemplate(
    "Until then, use the system's roots in its place",
    "export REQUESTS_CA_BUNDLE={file}",
    "$env:REQUESTS_CA_BUNDLE = {file}",
    {"file": "/etc/ssl/certs/ca-certificates.crt"},
)


def _restore_certifi(failure: FailureContext, fault: TrustFileFault) -> Iterator[Remedy]:
    repair = failure.report.repair
    if repair is None or repair.installer is None:
        yield _RESTORE.fill(file=fault.path)
    else:
        reinstall = _REINSTALL[repair.installer]
        yield reinstall.fill(python=repair.python, venv=repair.environment)
    if repair is not None and repair.system_bundle:
        yield _USE_SYSTEM_BUNDLE.fill(file=repair.system_bundle)


def _change_setting(failure: FailureContext, fault: TrustFileFault) -> Remedy:
    """Return how to name another file, if the user named this one (`fault.is_named`)."""
    if fault.setting == "ca":
        return _CHANGE_CA.fill(**failure.placeholders)
    return UNSET_VARIABLE.fill(variable=fault.setting, env_variable=f"Env:{fault.setting}")


def _file_of(fault: TrustFileFault) -> str:
    """Return the beginning of a title on a file that no setting names."""
    return f"The file of {CERTIFI if fault.setting == CERTIFI else f'the {fault.setting}'}"


# trust-file-missing


def _trust_file_missing(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, TrustFileFault) or fault.problem is not FileProblem.MISSING:
        return None
    title = f"{fault.setting} names a file of certificates that is not there"
    evidence = (f"{fault.setting} = {fault.path}: no such file",)
    if not fault.is_named:
        title = f"{_file_of(fault)} is not there"
    return Explanation(title, evidence, tuple(_remedies(failure, fault)))


TRUST_FILE_MISSING = FaultInfo(
    id="trust-file-missing",
    group=Group.TLS,
    sides=(Side.BOX,),
    meaning="A file of trusted certificates is not there: a setting's, or certifi's own.",
    distinguishing_evidence=(
        "The report names the setting: REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE, or ca "
        "of the environment; or it is certifi's. A file that is there and cannot be used is "
        "`trust-file-bad`."
    ),
    az_says=(
        "Could not find a suitable TLS CA certificate bundle, invalid path: … "
        "(only where the file is REQUESTS_CA_BUNDLE's, or else CURL_CA_BUNDLE's; az does not know "
        "the others)"
    ),
    patterns={
        MessagePattern(
            "a file of certificates is not there",
            r"could not find a suitable tls ca certificate bundle",
            also=r"invalid path",
        ): 95,
        MessagePattern(
            "a file of certificates cannot be opened",
            r"load_verify_locations|ignoring extra certs from",
            also=r"no such file|errno 2\]|load failed",
        ): 95,
        CERTIFICATE_FILE_UNREADABLE: 72,
        CERTIFICATE_FILE_FORBIDDEN: 180,
    },
    remedies=(
        UNSET_VARIABLE,
        _CHANGE_CA,
        *_REINSTALL.values(),
        *REINSTALL_THERE.values(),
        _RESTORE,
        _USE_SYSTEM_BUNDLE,
        _SEE_STORES,
    ),
    rules=(_trust_file_missing,),
)


# trust-file-bad

_CONVERT = RemedyTemplate(
    "Convert it to PEM and name {pem} instead",
    "openssl x509 -inform DER -in {file} -out {pem}",
    "certutil -encode {file} {pem}",
    {"pem": "FILE.pem"},
)
REPAIR = for_both(
    "Write it anew as PEM that every program reads; the file as it was stays beside it",
    "stacktui certificates repair {file}",
)
_MOVE_AWAY = RemedyTemplate(
    "Move it away: without {bundle} the other stores count again, but not what it holds",
    "mv -i -- {file} {aside}",
    "Move-Item {file} {aside}",
    {"bundle": "stacktui's own bundle", "aside": "FILE.aside"},
)
_TRUST_AGAIN = for_both(
    "Then trust again what can be read of it",
    "stacktui certificates trust {aside}",
    aside="FILE.aside",
)


def _trust_file_bad(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, TrustFileFault) or fault.problem is FileProblem.MISSING:
        return None
    what = fault.what
    title = f"The file that {fault.setting} names {what}"
    if not fault.is_named:
        title = f"{_file_of(fault)} {what}"
    evidence = [f"{fault.setting} = {fault.path}", f"it {what}"]
    if fault.detail:
        said = fault.detail if fault.is_repairable else f"reading it said: {fault.detail}"
        evidence.append(said)
    return Explanation(title, tuple(evidence), tuple(_remedies(failure, fault)))


def repairing(path: str) -> Remedy:
    """Return the remedy that stacktui carries out itself where the file may be written."""
    return REPAIR.fill(Action(ActionKind.REPAIR, key=path), file=path)


def repairing_flawed(failure: FailureContext) -> tuple[Remedy, ...]:
    """Return the remedies for trusted files that are read in part."""
    return tuple(repairing(each.path) for each in failure.flawed_files)


def _remedies(failure: FailureContext, fault: TrustFileFault) -> Iterator[Remedy]:
    path, aside = fault.path, f"{fault.path}.aside"
    if fault.is_named:
        if fault.problem is FileProblem.DER:
            yield _CONVERT.fill(file=path, pem=f"{path}.pem")
        if fault.is_repairable:
            yield repairing(path)
        yield _change_setting(failure, fault)
        return
    if fault.setting == CERTIFI:
        if fault.is_repairable:
            yield repairing(path)
        yield from _restore_certifi(failure, fault)
    elif fault.problem is not FileProblem.MISSING:  # stacktui's own bundle can be done without
        if fault.is_repairable:
            yield repairing(path)
        yield _MOVE_AWAY.fill(bundle=path, file=path, aside=aside)
        if fault.is_partly_good:
            yield _TRUST_AGAIN.fill(aside=aside)
    yield _SEE_STORES.fill(**failure.placeholders)


TRUST_FILE_BAD = FaultInfo(
    id="trust-file-bad",
    group=Group.TLS,
    sides=(Side.BOX,),
    meaning="A file of trusted certificates holds none, or is damaged.",
    distinguishing_evidence=(
        "The report says what is wrong with it, and on which line: empty, a page, a key only, DER "
        "or PKCS #7 (.p7b) instead of PEM, two blocks on one line, UTF-16, bare base64. "
        "Where the file is good and the root is not in it, it is `tls-untrusted-root`."
    ),
    az_says=(
        AZ_NETWORK + "… [X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found … "
        "(only where the file is REQUESTS_CA_BUNDLE's, or else CURL_CA_BUNDLE's)"
    ),
    patterns={
        CERTIFICATE_FILE_UNREADABLE: 70,
        CERTIFICATE_FILE_FORBIDDEN: 182,
        MessagePattern(
            "a file of trusted certificates holds none",
            r"no_certificate_or_crl_found|no certificate or crl found|\[x509\] pem lib"
            r"|\[x509\] unknown error|trustanchors parameter must be"
            r"|no certificates? found in .{1,60}bundle|\[asn1(?::|\]) ?(?:nested|not|header)",
        ): 95,
        NOTHING_IN_PEM: 64,
    },
    remedies=(
        _CONVERT,
        REPAIR,
        UNSET_VARIABLE,
        _CHANGE_CA,
        *_REINSTALL.values(),
        *REINSTALL_THERE.values(),
        _RESTORE,
        _USE_SYSTEM_BUNDLE,
        _MOVE_AWAY,
        _TRUST_AGAIN,
        _SEE_STORES,
    ),
    rules=(_trust_file_bad,),
)

FAULTS = (TRUST_FILE_MISSING, TRUST_FILE_BAD)
