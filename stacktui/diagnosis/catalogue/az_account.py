"""Faults of the account that `az` is signed in with (`kind = "azure-cli"`): no token from az."""

from __future__ import annotations

from dataclasses import replace

from stacktui.check.fault_text import fault_lines
from stacktui.diagnosis.catalogue.azure_cli import INSTALL_AZ
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.remedy_template import PlainWord, Quote, RemedyTemplate, for_both
from stacktui.diagnosis.sign_in_facts import section_of
from stacktui.identities.faults import AzureCliFault, AzureCliProblem

_SIGN_IN_OTHERWISE = RemedyTemplate(
    "Sign in without az: set another kind{under}", shown={"under": " under the identity"}
)
_SIGN_IN = RemedyTemplate(
    "Sign in with az for this stamp; with a secret or a certificate, add --service-principal and "
    "what it needs",
    "AZURE_CLOUD_NAME={cloud} az login --use-device-code{tenant}",
    "$env:AZURE_CLOUD_NAME = {cloud}; az login --use-device-code{tenant}",
    {"tenant": ""},
)


def _fault(failure: FailureContext, *problems: AzureCliProblem) -> AzureCliFault | None:
    fault = failure.fault
    return fault if isinstance(fault, AzureCliFault) and fault.problem in problems else None


def _otherwise(failure: FailureContext) -> Remedy:
    identity = failure.identity
    return _SIGN_IN_OTHERWISE.fill(under=f" under {section_of(identity)}" if identity else "")


def _sign_in(failure: FailureContext, fault: AzureCliFault) -> Remedy:
    tenant = failure.identity.tenant if failure.identity else None

    def at_tenant(quote: Quote) -> str:
        return f" --tenant {quote(tenant)}" if tenant else ""

    return _SIGN_IN.fill(cloud=fault.cloud, tenant=at_tenant)


# az-not-installed

_INSTALL = replace(
    INSTALL_AZ,
    title="Install az 2.66, the version for stamps, in a virtual environment of its own (with "
    "Python 3.12 or older), and use it in this shell",
)


def _az_not_installed(failure: FailureContext) -> Explanation | None:
    fault = _fault(failure, AzureCliProblem.NOT_INSTALLED)
    if fault is None:
        return None
    title = "The identity signs in with az, which is not on this machine"
    return Explanation(title, (fault.detail,), (_INSTALL.fill(), _otherwise(failure)))


AZ_NOT_INSTALLED = FaultInfo(
    id="az-not-installed",
    group=Group.TOKEN,
    sides=(Side.BOX,),
    meaning="An identity of kind azure-cli needs az, which is not on this machine.",
    distinguishing_evidence=(
        "There is no az on PATH, nor where its installers put it. One that is there and gives no "
        "token is `az-not-signed-in` or `az-no-token`."
    ),
    az_says="nothing: it is not there; a shell says az: command not found",
    remedies=(_INSTALL, _SIGN_IN_OTHERWISE),
    rules=(_az_not_installed,),
)


# az-cloud-missing

_REGISTER = for_both(
    "Write the stamp into az's clouds as it is now; the file's other clouds stay as they are",
    "stacktui environments export --format az{environment}",
)


def _az_cloud_missing(failure: FailureContext) -> Explanation | None:
    fault = _fault(failure, AzureCliProblem.NO_CLOUD, AzureCliProblem.OTHER_CLOUD)
    if fault is None:
        return None
    title = "az does not know this stamp"
    if fault.problem is AzureCliProblem.OTHER_CLOUD:
        title = f"az's cloud {fault.cloud} is not the stamp as it is now"
    cloud = fault.cloud or failure.environment.name
    sign_in = _SIGN_IN.fill(cloud=cloud, tenant=PlainWord(""))
    remedies = (_REGISTER.fill(**failure.placeholders), sign_in, _otherwise(failure))
    return Explanation(title, tuple(fault_lines(fault)), remedies)


AZ_CLOUD_MISSING = FaultInfo(
    id="az-cloud-missing",
    group=Group.TOKEN,
    sides=(Side.BOX,),
    meaning="az does not know the stamp, or with another login host or audience.",
    distinguishing_evidence=(
        "Read from az's clouds.config; az was not asked, as it makes another cloud the active one "
        "for a name that it does not know. A file that az cannot read is `az-config-broken` too; "
        "where the cloud is there, it is `az-not-signed-in`."
    ),
    az_says="the same, in other words: The cloud '…' is not registered.",
    remedies=(_REGISTER, _SIGN_IN, _SIGN_IN_OTHERWISE),
    rules=(_az_cloud_missing,),
)


# az-not-signed-in


def _az_not_signed_in(failure: FailureContext) -> Explanation | None:
    fault = _fault(failure, AzureCliProblem.NOT_SIGNED_IN)
    if fault is None:
        return None
    title = f"az is not signed in to its cloud {fault.cloud}"
    remedies = (_sign_in(failure, fault), _otherwise(failure))
    return Explanation(title, tuple(fault_lines(fault)), remedies)


AZ_NOT_SIGNED_IN = FaultInfo(
    id="az-not-signed-in",
    group=Group.TOKEN,
    sides=(Side.BOX,),
    meaning="az knows the stamp, but nobody is signed in to it with az.",
    distinguishing_evidence=(
        "az itself asks for az login, without a code of the sign-in service; with one it is "
        "`az-no-token`. Signed in to another cloud does not count."
    ),
    az_says="the same: Please run 'az login' to setup account.",
    remedies=(_SIGN_IN, _SIGN_IN_OTHERWISE),
    rules=(_az_not_signed_in,),
)


# az-no-token

# The factor by which the remedy raises the limit.
_MORE = 3
_ASK_AZ = RemedyTemplate(
    "Ask az yourself; this prints when the token ends, not the token",
    "AZURE_CLOUD_NAME={cloud} az account get-access-token --resource {audience} "
    "--query expiresOn -o tsv",
    "$env:AZURE_CLOUD_NAME = {cloud}; az account get-access-token --resource {audience} "
    "--query expiresOn -o tsv",
)
_EXPLAIN = for_both("See what {code} means, and what to do", "stacktui explain {code}")
_MORE_TIME = for_both(
    "If az is only slow, allow the step more seconds",
    "stacktui environments set{environment} limits.step={seconds}",
    seconds="60",
)
_TITLES = {
    AzureCliProblem.REFUSED: "The sign-in service refuses the account of az",
    AzureCliProblem.TIMEOUT: "az gave no token in time",
    AzureCliProblem.NOT_UNDERSTOOD: "az printed something else than a token",
    AzureCliProblem.OTHER_AUDIENCE: "az gave a token for another audience than the stamp's",
    AzureCliProblem.FAILED: "az gave no token",
}


def _az_no_token(failure: FailureContext) -> Explanation | None:
    fault, metadata = _fault(failure, *_TITLES), failure.metadata
    if fault is None:
        return None
    audience = metadata.audience if metadata is not None else "AUDIENCE"
    remedies = [_ASK_AZ.fill(cloud=fault.cloud, audience=audience)]
    if fault.code:
        remedies = [_EXPLAIN.fill(code=fault.code), _sign_in(failure, fault)]
    if fault.problem is AzureCliProblem.TIMEOUT:
        seconds = int(failure.environment.limits.step * _MORE)
        remedies.append(_MORE_TIME.fill(**failure.placeholders, seconds=seconds))
    evidence = tuple(fault_lines(fault))
    return Explanation(_TITLES[fault.problem], evidence, (*remedies, _otherwise(failure)))


AZ_NO_TOKEN = FaultInfo(
    id="az-no-token",
    group=Group.TOKEN,
    sides=(Side.BOX,),
    meaning="az is there and knows the stamp, but gives no token for it.",
    distinguishing_evidence=(
        "It ended with an error other than `az-not-signed-in`, took too long, or printed no token "
        "for the stamp's audience; the report has its words. No token was sent to the stamp."
    ),
    az_says="whatever it says is in the report",
    remedies=(_EXPLAIN, _SIGN_IN, _ASK_AZ, _MORE_TIME, _SIGN_IN_OTHERWISE),
    rules=(_az_no_token,),
)

FAULTS = (AZ_NOT_INSTALLED, AZ_CLOUD_MISSING, AZ_NOT_SIGNED_IN, AZ_NO_TOKEN)
