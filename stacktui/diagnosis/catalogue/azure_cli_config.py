"""az's own files: broken, or with other values than the stamp's metadata."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacktui.azure_cli.presence import BUILT_IN_CLOUDS
from stacktui.diagnosis.catalogue.azure_cli import is_stamp
from stacktui.diagnosis.context import ReportContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.no_fault import NOT_ON_STAMPS
from stacktui.diagnosis.remedy_template import Quote, RemedyTemplate
from stacktui.environments.metadata import Metadata
from stacktui.environments.model import parse_arm_url
from stacktui.environments.profiles import PUBLIC_PROFILE
from stacktui.exchange.az_setup import Command, registering, selecting
from stacktui.identities.authority import may_ask
from stacktui.text.sanitize import HELD_BACK, REDACTED
from stacktui.text.shell import for_az

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts
    from stacktui.azure_cli.ini_files import AzCloud, BrokenFile

_CLOUDS = "clouds.config"
# Example values for a file of az's.
_FILE = f"~/.azure/{_CLOUDS}"
_SHOWN = {"name": _CLOUDS, "path": _FILE, "new": f"{_FILE}.new", "aside": f"{_FILE}.broken"}
_REGISTER = (
    "az cloud register -n NAME --endpoint-resource-manager https://HOST",
    "az cloud set -n NAME",
    "az cloud update --profile PROFILE",
)
_REWRITE = "[IO.File]::WriteAllText({path}, [IO.File]::ReadAllText({path}))"
# .NET does not expand ~.
_SHOWN_QUOTED = _SHOWN | {"path": "'FILE'", "new": "'FILE.new'"}
_TAKE_MARK = RemedyTemplate(
    "Take the byte-order mark away from {name}",
    "tail -c +4 {path} > {new} && mv -- {new} {path}",
    _REWRITE,
    _SHOWN_QUOTED,
)
_WRITE_UTF_8 = RemedyTemplate(
    "Write {name} as UTF-8",
    "iconv -f UTF-16 -t UTF-8 {path} > {new} && mv -- {new} {path}",
    _REWRITE,
    _SHOWN_QUOTED,
)
_PUT_ASIDE = RemedyTemplate(
    "Fix {name} in an editor; or put it aside, and say anew what it held",
    "mv -- {path} {aside} && {again}",
    "Move-Item -LiteralPath {path} {aside}; {then}",
    _SHOWN | {"again": " && ".join(_REGISTER), "then": "; ".join(_REGISTER)},
)
_UPDATE = "az cloud update -n {cloud} {options}"
_CORRECT_CLOUD = RemedyTemplate(
    "Set the cloud {cloud} of az to what the stamp says{values}, then sign in again",
    _UPDATE,
    _UPDATE,
    {
        "cloud": "NAME",
        "options": "--profile PROFILE --endpoint-active-directory https://LOGIN",
        "values": "",
    },
    az=True,
)


def _az_config_broken(report: ReportContext) -> Explanation | None:
    az = report.report.az
    if az is None:
        return None
    evidence = [_broken_line(each) for each in az.broken]
    remedies = [_fix_file(report, az, each) for each in az.broken]
    title = f"az cannot use {az.broken[0].path.name}" if az.broken else ""
    if any(each.removed for each in az.broken):
        title = "az will remove clouds.config, with every cloud in it, at its next command"
    if (metadata := report.metadata) is not None:
        for cloud in _registered(report, az):
            if differences := tuple(_differences(report, cloud, metadata)):
                title = title or f"The cloud {cloud.name} of az is not what the stamp says it is"
                evidence += [f"[{cloud.name}] {each.line}" for each in differences]
                remedies.append(_correct_cloud(cloud, differences))
    return Explanation(title, tuple(evidence), tuple(remedies)) if evidence else None


# Flaws are compared by value, as their module is loaded only if there is an az.
def _broken_line(broken: BrokenFile) -> str:
    after = "az removes such a file" if broken.removed else "every az command fails with it"
    if broken.flaw == "unreadable":
        after = "az takes it for one that is not there"
    return f"{broken.path}: {broken.detail}: {after}"


def _fix_file(report: ReportContext, az: AzFacts, broken: BrokenFile) -> Remedy:
    name, path = broken.path.name, str(broken.path)
    if broken.flaw == "byte-order-mark":
        return _TAKE_MARK.fill(name=name, path=path, new=f"{path}.new")
    if broken.flaw == "utf-16":
        return _WRITE_UTF_8.fill(name=name, path=path, new=f"{path}.new")
    commands = _register(report, az) if name == _CLOUDS else _use(report, az)
    in_bash, in_powershell = zip(*map(for_az, commands), strict=True)
    # `for_az` judges only the az commands, as the file's path may hold anything.
    template = _PUT_ASIDE if all(in_powershell) else replace(_PUT_ASIDE, powershell="")
    return template.fill(
        name=name,
        path=path,
        aside=f"{path}.broken",
        again=lambda _: " && ".join(in_bash),
        then=lambda _: "; ".join(in_powershell),
    )


def _register(report: ReportContext, az: AzFacts) -> list[Command]:
    """Return the commands that register the stamp with az."""
    environment = report.environment
    return registering(_name(report, az), environment.arm, environment.profile)


def _use(report: ReportContext, az: AzFacts) -> list[Command]:
    """Return the command that selects the stamp in az, where it is still registered."""
    name = next((each.name for each in _registered(report, az)), _name(report, az))
    return [selecting(name)]


def _name(report: ReportContext, az: AzFacts) -> str:
    used = az.active if az.active not in BUILT_IN_CLOUDS.values() else ""
    return used or report.environment.name


def _registered(report: ReportContext, az: AzFacts) -> tuple[AzCloud, ...]:
    """Return az's clouds for the stamp: only the active one if it is among them, else all."""
    ours = tuple(each for each in az.clouds if _same_arm(each.arm, report.environment.arm))
    return tuple(each for each in ours if each.name == az.active) or ours


def _same_arm(url: str, arm: str) -> bool:
    try:
        return parse_arm_url(url) == arm
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _Difference:
    """What is wrong with a cloud, with the option of `az cloud update` and its value."""

    line: str
    option: str
    value: str


def _differences(
    report: ReportContext, cloud: AzCloud, metadata: Metadata
) -> Iterator[_Difference]:
    login, audience = metadata.login_endpoint, metadata.audience
    if _is_unchanged(login) and not _same_login(cloud.login, login):
        line = _difference_line("endpoint_active_directory", cloud.login, login)
        yield _Difference(line, "--endpoint-active-directory", login)
    if _is_unchanged(audience) and cloud.audience != audience:
        line = _difference_line("endpoint_active_directory_resource_id", cloud.audience, audience)
        yield _Difference(line, "--endpoint-active-directory-resource-id", audience)
    profile = report.environment.profile
    if cloud.profile in ("", PUBLIC_PROFILE) and is_stamp(report):
        line = (
            f"profile is {cloud.profile or 'missing'}, with api-versions that no stamp knows; "
            f"the check uses {profile}"
        )
        yield _Difference(line, "--profile", profile)


def _difference_line(option: str, registered: str, actual: str) -> str:
    return f"{option} is {registered or 'missing'}; the stamp's is {actual}"


def _is_unchanged(text: str) -> bool:
    """Return whether a value is in the report unchanged: not redacted, not truncated."""
    return text != HELD_BACK and REDACTED not in text and not text.endswith("…")


def _same_login(registered: str, actual: str) -> bool:
    one, other = registered.rstrip("/").lower(), actual.rstrip("/").lower()
    if one == other:
        return True
    try:  # the public login hosts are aliases of each other
        return may_ask(one, other) and urlsplit(one).path == urlsplit(other).path
    except ValueError:
        return False


def _correct_cloud(cloud: AzCloud, differences: tuple[_Difference, ...]) -> Remedy:
    def options(quote: Quote) -> str:
        return " ".join(f"{each.option} {quote(each.value)}" for each in differences)

    def filled(values: str) -> Remedy:
        return _CORRECT_CLOUD.fill(cloud=cloud.name, options=options, values=values)

    remedy = filled("")
    if remedy.powershell:
        return remedy
    # There is no command for PowerShell: the title has the values.
    return filled(f" ({', '.join(f'{each.option} {each.value}' for each in differences)})")


AZ_CONFIG_BROKEN = FaultInfo(
    id="az-config-broken",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="az's own files are broken, or say something else of the stamp than it does.",
    distinguishing_evidence=(
        "A file of az's (in AZURE_CONFIG_DIR, else ~/.azure) that it cannot parse (it removes "
        "such a clouds.config), or a registered cloud of this stamp whose login endpoint, "
        "audience or profile is not what the stamp says. The check does not read them, and may "
        "be healthy. An old error without either is `az-stale-error-cache`; a profile that az "
        "does not know `az-too-new`."
    ),
    az_says=(
        "'…/clouds.config' is in bad format and has been removed; a traceback that ends in "
        "configparser, UnicodeDecodeError or CLIError; or Unable to get endpoints from the cloud"
    ),
    patterns={
        MessagePattern(
            "clouds.config cannot be parsed",
            r"is in bad format and has been removed|missingsectionheadererror"
            r"|file contains no section headers|source contains parsing errors"
            r"|duplicatesectionerror|duplicateoptionerror|configparser\.\w{1,40}error",
        ): 92,
        MessagePattern(
            "az does not know the cloud any more",
            r"the cloud '?.{1,60}is not registered",
            note="`az cloud list` shows which clouds az knows: one that was never registered "
            "is no fault.",
        ): 60,
        MessagePattern(
            "the cloud is registered without an endpoint that is needed",
            rf"the (?:endpoint|suffix) '?(?!{NOT_ON_STAMPS})\w{{1,60}}'? for this cloud is not set"
            r"|following endpoints are required for the cli",
        ): 90,
        MessagePattern(
            "a file of az's sign-in is no JSON",
            r"token_cache|azureprofile\.json|service_principal_entries",
            also=r"jsondecodeerror|extra data: line|expecting value: line|unterminated string",
        ): 185,
        MessagePattern(
            "a file of az's has an encoding that az cannot read",
            r"codec can't decode byte",
            also=r"clouds\.config|configparser|[/\\]\.azure\b",
        ): 92,
        MessagePattern(
            "az cannot decrypt its own tokens", r"decryption failed: .{0,9}winerror"
        ): 88,
    },
    remedies=(_PUT_ASIDE, _CORRECT_CLOUD, _TAKE_MARK, _WRITE_UTF_8),
    advisories=(_az_config_broken,),
)
