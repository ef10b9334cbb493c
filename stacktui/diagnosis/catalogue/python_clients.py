"""Why a Python program on this machine may fail although the check succeeds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stacktui.diagnosis.catalogue.azure_cli import is_stamp
from stacktui.diagnosis.context import ReportContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.remedy_template import Quote, RemedyTemplate, for_both
from stacktui.environments.profiles import DEFAULT_PROFILE, PROFILES
from stacktui.python_clients.sdk_releases import RESOURCE, last_for_stamp, too_new
from stacktui.resources.api_versions import RESOURCES, known_version

if TYPE_CHECKING:
    from stacktui.python_clients.packages import Package, PythonEnvironment

# sdk-too-new

_PIN_TITLE = "Put the last release for a stamp there"
_PIN = RemedyTemplate(
    _PIN_TITLE,
    "{python} -m pip install {pins}",
    "& {python} -m pip install {pins}",
    {"python": "PATH/bin/python", "pins": f"'{RESOURCE}==24.0.0'"},
)
_PIN_BY_UV = for_both(
    _PIN_TITLE,
    "uv pip install --python {python} {pins}",
    python="PATH/bin/python",
    pins=f"'{RESOURCE}==24.0.0'",
)
# What was run with 26.0.0, and with 25.0.0.
_IMPORT_FAILS = "the import that the documents have fails from azure-mgmt-resource 26 on"
_PROFILE_IGNORED = "it ignores the profile that a program gives it: a stamp answers 400"
_OTHER_IMPORT = RemedyTemplate(
    "Or keep it, and change the program: from azure.mgmt.resource.resources import "
    'ResourceManagementClient, and give the client api_version="{version}"',
    shown={"version": known_version(DEFAULT_PROFILE, RESOURCES) or ""},
)


def sdk_too_new(report: ReportContext, environment: PythonEnvironment) -> Explanation | None:
    """Explain the packages of one environment that no stamp has the api-versions for."""
    packages = too_new(environment)
    if not packages:
        return None
    return Explanation(
        f"Its Python SDK is too new for a stamp: {_listed(packages)}",
        tuple(_evidence(packages)),
        (_pin(environment, packages), *_other_import(report, packages)),
    )


def _evidence(packages: tuple[Package, ...]) -> Iterator[str]:
    for each in packages:
        yield f"{each} is installed; a stamp needs {last_for_stamp(each)}"
        if each.name == RESOURCE:
            yield _IMPORT_FAILS if each.release[:1] >= (26,) else _PROFILE_IGNORED


def _listed(packages: tuple[Package, ...]) -> str:
    return ", ".join(map(str, packages))


def _pin(environment: PythonEnvironment, packages: tuple[Package, ...]) -> Remedy:
    def pins(quote: Quote) -> str:
        return " ".join(quote(last_for_stamp(each)) for each in packages)

    template = _PIN if environment.has_pip else _PIN_BY_UV
    return template.fill(python=str(environment.python), pins=pins)


def _other_import(report: ReportContext, packages: tuple[Package, ...]) -> Iterator[Remedy]:
    profile = report.environment.profile
    # The config refuses an unknown one; a report may have another origin.
    version = known_version(profile, RESOURCES) if profile in PROFILES else None
    if version and any(each.name == RESOURCE for each in packages):
        yield _OTHER_IMPORT.fill(version=version)


def _sdk_too_new(report: ReportContext) -> Explanation | None:
    """Explain all environments of this machine at once."""
    if not is_stamp(report):
        return None
    environments = (each.environment for each in report.report.clients)
    found = [(one, each) for one in environments if (each := sdk_too_new(report, one)) is not None]
    if not found:
        return None
    where = str(found[0][0].python) if len(found) == 1 else f"{len(found)} environments"
    # The second cure is the same for all of them.
    cures = dict.fromkeys(remedy for _, each in found for remedy in each.remedies)
    return Explanation(
        f"The Python SDK of {where} is too new for a stamp",
        tuple(f"{one.python}: {line}" for one, each in found for line in each.evidence),
        tuple(sorted(cures, key=lambda each: not each.bash)),
    )


SDK_TOO_NEW = FaultInfo(
    id="sdk-too-new",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="A Python environment on this machine has an SDK that is too new for a stamp.",
    distinguishing_evidence=(
        "The versions of its packages are read, and nothing is run. The program fails at its "
        "import, before it sends anything, or asks for one api-version that no stamp has: the "
        "stamp is healthy, and `api-version-unsupported` is not its fault. What is too new in az "
        "is `az-too-new`."
    ),
    az_says=(
        "nothing, as az has packages of its own; the program says: ImportError: cannot import name "
        "'ResourceManagementClient' from 'azure.mgmt.resource'"
    ),
    patterns={
        MessagePattern(
            "the Python SDK has moved a client that the documents import",
            r"cannot import name '\w{1,60}' from 'azure\.mgmt\.resource'",
        ): 95,
        MessagePattern(
            "the Python SDK has no models of an older api-version",
            r"no module named 'azure\.mgmt\.[\w.]{1,60}\.v20\d\d_\d\d_\d\d",
        ): 85,
    },
    remedies=(_PIN, _PIN_BY_UV, _OTHER_IMPORT),
    advisories=(_sdk_too_new,),
)
