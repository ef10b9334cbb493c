"""Why `az` may fail although the check succeeds. For az's files see `azure_cli_config`."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacktui.azure_cli.presence import BUILT_IN_CLOUDS
from stacktui.check.report import StepOutcome
from stacktui.check.step_names import StepName
from stacktui.diagnosis.context import ReportContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.arm import (
    INVALID_API_VERSION,
    INVALID_PROFILE,
    NO_REGISTERED_PROVIDER,
)
from stacktui.diagnosis.messages.metadata import SOMETHING_MISSING
from stacktui.diagnosis.remedies import exporting
from stacktui.diagnosis.remedy_template import Quote, RemedyTemplate
from stacktui.environments.model import Environment
from stacktui.environments.profiles import PUBLIC_PROFILE
from stacktui.exchange.az_setup import (
    INSTALL,
    LAST_WORKING,
    SUPPORTED,
    USE_FOLDER,
    version_of,
)
from stacktui.exchange.shells import Shell

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts, AzInstallation


def is_stamp(report: ReportContext) -> bool:
    """Return whether ARM's metadata was read, and is not that of a public cloud."""
    return report.metadata is not None and not is_of_public_cloud(report.environment)


def is_of_public_cloud(environment: Environment) -> bool:
    try:
        host = urlsplit(environment.arm).hostname
    except ValueError:  # the config rejects such a URL; a report may have another origin
        return True
    return host in BUILT_IN_CLOUDS or environment.profile == PUBLIC_PROFILE


# az-too-new

USE_INSTALLED = RemedyTemplate(
    "Use az {version}, which is on this machine too ({launcher})",
    USE_FOLDER[Shell.BASH],
    USE_FOLDER[Shell.POWERSHELL],
    {"version": "2.66", "launcher": "FOLDER/az", "folder": "'FOLDER'"},
)
INSTALL_AZ = RemedyTemplate(
    "Install az 2.66 in a virtual environment of its own (with Python 3.12 or older), and use it "
    "in this shell; the newer one stays as it is",
    " && ".join(INSTALL[Shell.BASH]),
    "; ".join(INSTALL[Shell.POWERSHELL]),
)


def _az_too_new(report: ReportContext) -> Explanation | None:
    az = report.report.az
    if az is None or az.runs is None or not is_stamp(report):
        return None
    return too_new(report, az, az.runs)


def too_new(report: ReportContext, az: AzFacts, installed: AzInstallation) -> Explanation | None:
    """Explain an `az` that is newer than the one that is supported for stamps."""
    version = version_of(installed)
    if version is None or version <= SUPPORTED:
        return None
    evidence = [f"{installed.launcher} is azure-cli {installed.version}"]
    if version <= LAST_WORKING:
        title = f"az {installed.version} works with a stamp, but only 2.66 is supported for one"
        evidence.append("2.73 and later do not work with a stamp: an upgrade would break it")
    else:
        title = (
            f"az {installed.version} is too new for a stamp: 2.72 is the last that works with one"
        )
        if "-hybrid" in report.environment.profile:
            evidence.append(f"since 2.73 az does not know the profile {report.environment.profile}")
        evidence.append("it reads metadata as one object, where a stamp answers it with a list")
    return Explanation(title, tuple(evidence), (use_supported(report, az),))


def use_supported(
    report: ReportContext, az: AzFacts, install: RemedyTemplate = INSTALL_AZ
) -> Remedy:
    """Return how to use the az that is supported: one of this machine's, or a new one."""
    clients = report.report.az_clients
    cannot_start = {each.installation.launcher for each in clients if each.missing}
    for each in az.installations:
        launcher = each.launcher
        if version_of(each) == SUPPORTED and launcher not in cannot_start:
            return USE_INSTALLED.fill(
                version=each.version, launcher=str(launcher), folder=str(launcher.parent)
            )
    return install.fill()


AZ_TOO_NEW = FaultInfo(
    id="az-too-new",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="az on this machine is newer than 2.66: 2.73 and later fail on a stamp.",
    distinguishing_evidence=(
        "Its version is read. 2.67 to 2.72 work, but are not supported. From 2.73 on, az takes the "
        "stamp's metadata for one object where it is a list, has no hybrid profiles, and asks for "
        "API versions that a stamp refuses: the stamp is healthy, and neither "
        "`metadata-incomplete` nor `api-version-unsupported` is its fault."
    ),
    az_says=(
        "TypeError: list indices must be integers or slices, not str (on `az cloud register`); "
        "Profile 2020-09-01-hybrid does not exist or is not supported; or "
        "InvalidApiVersionParameter"
    ),
    patterns={
        SOMETHING_MISSING: 34,
        MessagePattern(
            "az takes the stamp's list of clouds for one cloud",
            r"list indices must be integers or slices, not str",
        ): 95,
        MessagePattern(
            "az has no hybrid profile",
            r"hybrid",
            also=r"allowed values: latest\.|does not exist or is not supported"
            r"|choose from 'latest'?\)"
            r"|has been deprecated and removed",
        ): 92,
        MessagePattern(
            "az says which release ends its support of stamps",
            r"azure stack profile .{1,40}will be deprecated",
        ): 70,
        MessagePattern(
            "az asks for an api-version of later stamps",
            r"invalidapiversionparameter|noregisteredproviderfound|no registered resource provider",
            also=r"20(?:2[1-9]|[3-9]\d)-\d\d-\d\d",
        ): 84,
        INVALID_API_VERSION: 50,
        NO_REGISTERED_PROVIDER: 50,
        INVALID_PROFILE: 52,
    },
    remedies=(USE_INSTALLED, INSTALL_AZ),
    advisories=(_az_too_new,),
)


# az-stale-error-cache

# Errors that az cached during the check count too.
_MEANWHILE = timedelta(minutes=1)
_WAIT = RemedyTemplate(
    "Wait, then try az again",
    "sleep {seconds}",
    "Start-Sleep -Seconds {seconds}",
    {"seconds": "60"},
)
_FORGET_ANSWERS = RemedyTemplate(
    "Or have az forget the answers that it keeps (no sign-in is lost)",
    "rm -f -- {cache}",
    "Remove-Item -LiteralPath {cache}",
    {"cache": "~/.azure/msal_http_cache.bin"},
)


def _az_stale_error_cache(report: ReportContext) -> Explanation | None:
    az = report.report.az
    token = next((each for each in report.report.steps if each.name == StepName.TOKEN), None)
    # If stacktui's sign-in is refused too, the cached error may be right.
    if az is None or token is None or token.outcome is not StepOutcome.OK:
        return None
    asked = {each.url for each in token.evidence.exchanges if each.method == "POST"}
    kept = [
        each for each in az.kept
        if each.url in asked and each.ends > report.now and each.made <= report.now + _MEANWHILE
    ]  # fmt: skip
    if not kept:
        return None
    last = max(kept, key=lambda each: each.ends)
    left = math.ceil((last.ends - report.now).total_seconds())
    title = f"az still repeats an error of the login host, for {left} s more: {last.said}"
    evidence = [
        f"{each.url} answered {each.said} at {each.made:%H:%M:%S} UTC, and az gives that to the "
        f"same sign-in until {each.ends:%H:%M:%S} UTC without asking"
        for each in kept
    ]
    evidence.append("the same URL gave this check a token")
    cache = str(az.folder / "msal_http_cache.bin")
    remedies = (_WAIT.fill(seconds=left), _FORGET_ANSWERS.fill(cache=cache))
    return Explanation(title, tuple(evidence), remedies)


AZ_STALE_ERROR_CACHE = FaultInfo(
    id="az-stale-error-cache",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="az repeats an old sign-in error from its cache, though it is fixed.",
    distinguishing_evidence=(
        "az keeps an error answer of the sign-in service for 60 seconds, on disk (in "
        "AZURE_CONFIG_DIR, else ~/.azure); a check asks anew. Where the check fails too, the "
        "verdict counts."
    ),
    az_says="the error of a while ago, word for word, without asking again",
    remedies=(_WAIT, _FORGET_ANSWERS),
    advisories=(_az_stale_error_cache,),
)


# verification-off

# What each variable does, in az 2.66.2: with the first set, its first two commands still verified.
_TURNED_OFF = {
    "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION": (
        "with any value, 0 too, az gives its tokens to whoever answers in the stamp's place; and "
        "as `az cloud register` and `az login` verify all the same, it fixes nothing"
    ),
    "ADAL_PYTHON_SSL_NO_VERIFY": (
        "programs with the old ADAL library send secrets to whoever answers in the login host's "
        "place; az itself does not read it any more"
    ),
}
_VERIFY_AGAIN = RemedyTemplate(
    "Verify again: in this shell, and wherever the variable is set for good",
    "unset {variables}",
    "Remove-Item {items}",
    {"variables": " ".join(_TURNED_OFF), "items": ", ".join(f"Env:{name}" for name in _TURNED_OFF)},
)
_EXPORT = exporting(
    "And have az trust what is trusted here: write a bundle, and name it as this says"
)


def _verification_off(report: ReportContext) -> Explanation | None:
    az = report.report.az
    if az is None or not az.unverified:
        return None
    names = [name for name, _ in az.unverified]
    title = f"Verification of certificates is switched off on this machine: {', '.join(names)}"
    evidence = tuple(
        f"{name}={value}: {_TURNED_OFF.get(name, 'set')}" for name, value in az.unverified
    )

    def variables(quote: Quote) -> str:
        return " ".join(map(quote, names))

    def items(quote: Quote) -> str:
        return ", ".join(quote(f"Env:{name}") for name in names)

    remedies = (
        _VERIFY_AGAIN.fill(variables=variables, items=items),
        _EXPORT.fill(**report.placeholders),
    )
    return Explanation(title, evidence, remedies)


VERIFICATION_OFF = FaultInfo(
    id="verification-off",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="TLS verification is switched off: anybody on the way can read your secrets.",
    distinguishing_evidence=(
        "A variable that az or other programs read is set; the report names it. stacktui goes on "
        "verifying, so that it may find `tls-intercepted` or `tls-untrusted-root` where az finds "
        "nothing."
    ),
    az_says=(
        "Connection verification disabled by environment variable "
        "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION"
    ),
    patterns={
        MessagePattern(
            "verification is switched off",
            r"insecurerequestwarning|unverified https request is being made"
            r"|connection verification disabled by environment variable"
            r"|azure_cli_disable_connection_verification|adal_python_ssl_no_verify",
        ): 85,
    },
    remedies=(_VERIFY_AGAIN, _EXPORT),
    advisories=(_verification_off,),
)
