"""What az alone fails at, and what nobody can tell of it without a person.

The rules read an `AzContext`: `diagnosis.az_client` applies them to each az on this machine. No
check fails by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stacktui.diagnosis.az_context import AzContext
from stacktui.diagnosis.catalogue.az_explanations import asked_for_tenant, tenant_by_name
from stacktui.diagnosis.catalogue.azure_cli import (
    INSTALL_AZ,
    USE_INSTALLED,
    is_of_public_cloud,
    use_supported,
)
from stacktui.diagnosis.context import ReportContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.remedy_template import RemedyTemplate, by_az
from stacktui.environments.profiles import OF_STAMPS
from stacktui.identities.authority import PUBLIC_LOGIN_HOSTS
from stacktui.identities.faults import (
    AzureCliFault,
    ImdsFault,
    SecretFault,
    SignInFault,
    SignInProblem,
)
from stacktui.identities.model import IdentityKind

# The kinds that sign in by MSAL, which asks about login hosts.
_BY_MSAL = (IdentityKind.SERVICE_PRINCIPAL, IdentityKind.USER, IdentityKind.DEVICE_CODE)

# az-python-missing

_INSTALL_ANEW = replace(
    INSTALL_AZ,
    title="Install az 2.66 anew, in a virtual environment of its own (with Python 3.12 or older)",
)


def _python_missing(report: ReportContext) -> Explanation | None:
    if not isinstance(report, AzContext) or not report.client.missing:
        return None
    return Explanation(
        "az cannot start: the Python that its launcher names is not there",
        (f"{report.launcher} starts {report.client.missing}", "there is no such file"),
        (use_supported(report, report.az, _INSTALL_ANEW),),
    )


AZ_PYTHON_MISSING = FaultInfo(
    id="az-python-missing",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="az cannot start: the Python that it was installed with is gone.",
    distinguishing_evidence=(
        "The launcher is read, and starts a Python by its path, where no file is: that Python was "
        "removed or updated after az was installed, or the folder was moved. The check does not "
        "need it. What az fails at once it runs has another id."
    ),
    az_says=(
        "nothing of its own; the shell: az: …/bin/python: bad interpreter: No such file or "
        "directory, or: az: cannot execute: required file not found"
    ),
    patterns={
        MessagePattern(
            "the launcher of az starts a Python that is not there",
            r"bad interpreter: no such file|cannot execute: required file not found",
            also=r"\baz\b",
        ): 90,
    },
    remedies=(USE_INSTALLED, _INSTALL_ANEW),
    advisories=(_python_missing,),
)


# az-instance-discovery

_TURN_OFF = by_az(
    "Have az ask nobody about login hosts: for all of its clouds",
    "az config set core.instance_discovery=false",
)
_TURN_OFF_HERE = RemedyTemplate(
    "Or in this shell alone",
    "export AZURE_CORE_INSTANCE_DISCOVERY=false",
    '$env:AZURE_CORE_INSTANCE_DISCOVERY = "false"',
)


def _instance_discovery(report: ReportContext) -> Explanation | None:
    if not isinstance(report, AzContext) or is_of_public_cloud(report.environment):
        return None
    identity, host = report.identity, report.login_host
    if report.is_adfs or not report.az.instance_discovery:
        return None
    if identity is not None and identity.kind not in _BY_MSAL:
        return None
    if not host or host in PUBLIC_LOGIN_HOSTS:
        return None
    return Explanation(
        f"az asks login.microsoftonline.com whether it may sign in at {host}",
        (
            f"{host} is a login host of the stamp's own, of which Microsoft does not know",
            "core.instance_discovery of az is on; AZURE_CORE_INSTANCE_DISCOVERY overrides it",
        ),
        (_TURN_OFF.fill(), _TURN_OFF_HERE.fill()),
    )


AZ_INSTANCE_DISCOVERY = FaultInfo(
    id="az-instance-discovery",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="az asks Microsoft about the stamp's own login host, and so cannot sign in.",
    distinguishing_evidence=(
        "The stamp signs in by Entra at a host of its own, and az's core.instance_discovery is not "
        "false. stacktui never asks. On AD FS, and at Microsoft's own login hosts, it makes no "
        "difference. What else az fails at in its files is `az-config-broken`."
    ),
    az_says=(
        "invalid_instance: The authority you provided, https://…, is not whitelisted; without "
        "internet: HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries "
        "exceeded with url: /common/discovery/instance"
    ),
    patterns={
        MessagePattern(
            "az asks Microsoft about a login host",
            r"invalid_instance|/discovery/instance|authority you provided.{0,90}is not",
        ): 190,
    },
    remedies=(_TURN_OFF, _TURN_OFF_HERE),
    advisories=(_instance_discovery,),
)


# az-undecided

# Where az asks for the token of a managed identity, whatever the variables say.
_IMDS = "169.254.169.254"
_SIGN_IN = by_az(
    "Try it: sign in with az in the stamp's cloud; a person enters the code",
    "az login --use-device-code",
)


def _undecided(report: ReportContext) -> Explanation | None:
    if not isinstance(report, AzContext):
        return None
    reason = next(_reasons(report), "")
    if not reason:
        return None
    evidence = (f"{report.launcher}: nothing that is known stands against it",)
    title = f"Whether az works here is not known: {reason}"
    return Explanation(title, evidence, (_SIGN_IN.fill(),))


def _reasons(report: AzContext) -> Iterator[str]:
    """Yield why it cannot be told whether az works, the most telling first."""
    launcher = report.client.installation.launcher
    if launcher in report.az.unknown:
        yield f"{launcher} is a launcher of no known form, and is not run to ask it"
    elif report.version is None:
        yield "its files do not say which version it is"
    if not report.client.hosts:
        yield "the check reached no host"
    for host in report.client.hosts:
        if host.way:
            yield host.way
        elif host.verification is None and report.failure is None:
            yield f"with which roots it verifies {host.host} is not known"
    yield from _of_identity(report)
    if report.az.keyring is not None:
        yield "core.encrypt_token_cache is on, and only the keyring of a session can tell"
    if report.login_host in PUBLIC_LOGIN_HOSTS and tenant_by_name(report) is not None:
        yield f"only the internet knows what is at {asked_for_tenant(report)}"
    yield from _of_failure(report)
    cloud = report.cloud
    if cloud is not None and _is_newer(cloud.profile, report.environment.profile):
        yield (
            f"its cloud {cloud.name} has profile {cloud.profile}, the check used "
            f"{report.environment.profile}"
        )


def _of_identity(report: AzContext) -> Iterator[str]:
    identity = report.identity
    if identity is None:
        yield "there is no identity to sign in with"
    elif identity.kind is IdentityKind.DEVICE_CODE:
        yield "a device code needs a person"
    elif identity.kind is IdentityKind.MANAGED_IDENTITY and not _asks_this_machine(report):
        yield f"az asks for the managed identity of this machine, at {_IMDS}"
    elif not report.report.conclusive:
        yield "the check itself needs a person to sign in"


def _asks_this_machine(report: AzContext) -> bool:
    """Whether the check got its token where az asks for it."""
    asked = (each.url for step in report.report.steps for each in step.evidence.exchanges)
    return any(each.startswith(f"http://{_IMDS}/") for each in asked)


def _of_failure(report: AzContext) -> Iterator[str]:
    """Yield why the fault of this check, which az does not have, hides what az would meet."""
    failure, verdict = report.failure, report.verdict
    if failure is None or verdict is None:
        return
    match failure.fault:
        case SecretFault():
            yield f"it asks for the secret, which this check did not have ({verdict.id})"
        case ImdsFault() | AzureCliFault():
            yield f"the check got no token ({verdict.id})"
        case SignInFault(problem=SignInProblem.FOREIGN_TOKEN_ENDPOINT):
            yield f"it would send its secret on, where this check stopped ({verdict.id})"
        case _:
            yield f"it does not have this check's fault, {verdict.id}, and gets further"


def _is_newer(one: str, other: str) -> bool:
    names = [each.name for each in OF_STAMPS]  # the newest first
    return one in names and other in names and names.index(one) < names.index(other)


AZ_UNDECIDED = FaultInfo(
    id="az-undecided",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="Whether az works here cannot be told without a person, or from this machine.",
    distinguishing_evidence=(
        "Nothing in az's files stands against it, and it needs what no check has: a person for a "
        "device code, the managed identity of another machine, a way to the stamp that this check "
        "did not take, or a step that it did not reach. What is known to fail has another id, such "
        "as `az-too-new` or `az-config-broken`."
    ),
    az_says="nothing yet: it was not run",
    remedies=(_SIGN_IN,),
    advisories=(_undecided,),
)

OF_AZ = (AZ_PYTHON_MISSING, AZ_INSTANCE_DISCOVERY, AZ_UNDECIDED)
