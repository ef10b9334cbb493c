"""az's own files: broken, or with other values than the stamp's metadata."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacktui.azure_cli.presence import BUILT_IN_CLOUDS
from stacktui.diagnosis.az_file_messages import NOT_REGISTERED, OF_FLAW, OTHER_VALUES, REMOVED
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
_USE_CLOUD = RemedyTemplate(
    "Have az use the stamp",
    "unset AZURE_CLOUD_NAME; {again}",
    "$env:AZURE_CLOUD_NAME = $null; {then}",
    {"again": _REGISTER[1], "then": _REGISTER[1]},
)
_SET_ASIDE = RemedyTemplate(
    "Put {name} aside, and sign in with az again",
    "mv -- {path} {aside}",
    "Move-Item -LiteralPath {path} {aside}",
    _SHOWN_QUOTED | {"aside": "'FILE.broken'"},
)
_UNSET_OPTION = RemedyTemplate(
    "Unset the variable, or set it to {values}, in this shell and wherever it is set for good",
    "unset {variable}",
    "Remove-Item {env_variable}",
    {
        "variable": "AZURE_CORE_INSTANCE_DISCOVERY",
        "env_variable": "Env:NAME",
        "values": "true or false",
    },
)
_EDIT_OPTION = RemedyTemplate(
    "Set it to {values} in {path}", shown=_SHOWN | {"values": "true or false"}
)
# The values that are usual, by the flaw.
_VALUES = {"boolean": "true or false", "output": "json", "keyring": "false"}
_GIVE_BACK = RemedyTemplate(
    "Give it to this user (after `sudo az`, it is root's)",
    'sudo chown -R -- "$(id -un)" {path}',
    shown={"path": "~/.azure"},
)
_OTHER_FOLDER = RemedyTemplate(
    "Name a folder that this user can write in AZURE_CONFIG_DIR, or unset that variable"
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
    # The words are those of the worst.
    causes = [_broken_words(each) for each in sorted(az.broken, key=lambda each: not each.removed)]
    if (metadata := report.metadata) is not None:
        for cloud in _registered(report, az):
            if differences := tuple(_differences(report, cloud, metadata)):
                causes.append((_differs(cloud, differences), OTHER_VALUES))
                evidence += [f"[{cloud.name}] {each.line}" for each in differences]
                remedies.append(_correct_cloud(cloud, differences))
    if not causes:
        return None
    title, az_says = causes[0]
    return Explanation(title, tuple(evidence), tuple(remedies), az_says=az_says)


# Flaws are compared by value, as their module is loaded only if there is an az.
def _broken_words(broken: BrokenFile) -> tuple[str, str]:
    """Return a title for the cause, and what az says."""
    if broken.removed:
        what = "az will remove clouds.config, with every cloud in it, at its next command"
        return f"{what}: {broken.detail}", REMOVED
    does = "write" if broken.flaw == "unwritable" else "use"
    return f"az cannot {does} {broken.path.name}: {broken.detail}", OF_FLAW.get(broken.flaw, "")


def _differs(cloud: AzCloud, differences: tuple[_Difference, ...]) -> str:
    what = " and ".join(_OPTIONS[each.option] for each in differences)
    return f"The cloud {cloud.name} of az has another {what} than the stamp"


def _active_not_registered(report: ReportContext) -> Explanation | None:
    az = report.report.az
    if az is None or not az.unregistered or not is_stamp(report):
        return None
    if az.active in BUILT_IN_CLOUDS.values():
        return None
    source = "AZURE_CLOUD_NAME" if az.by_variable else str(az.folder / "config")
    known = ", ".join(each.name for each in az.clouds) or "no cloud that can be read"
    evidence = (
        f"az's active cloud is {az.active}, by {source}",
        f"{az.folder / _CLOUDS} has {known}",
        "az takes AzureCloud, which is public Azure, and makes that the active one",
    )
    registered = _registered(report, az)
    commands = [selecting(registered[0].name)] if registered else _register(report, az)
    in_bash, in_powershell = zip(*map(for_az, commands), strict=True)
    template = _USE_CLOUD if all(in_powershell) else replace(_USE_CLOUD, powershell="")
    remedy = template.fill(
        again=lambda _: " && ".join(in_bash), then=lambda _: "; ".join(in_powershell)
    )
    title = f"az's active cloud {az.active} is not registered: az goes to public Azure in its place"
    return Explanation(title, evidence, (remedy,), az_says=NOT_REGISTERED)


def broken_file(report: ReportContext, az: AzFacts, broken: BrokenFile) -> Explanation:
    """Explain one file, or option, that az cannot use."""
    title, az_says = _broken_words(broken)
    remedies = (_fix_file(report, az, broken),)
    return Explanation(title, (_broken_line(broken),), remedies, az_says=az_says)


def other_values(report: ReportContext, cloud: AzCloud) -> Explanation | None:
    """Explain a cloud of the stamp in az that has other values than its metadata."""
    if report.metadata is None:
        return None
    differences = tuple(_differences(report, cloud, report.metadata))
    if not differences:
        return None
    lines = tuple(f"[{cloud.name}] {each.line}" for each in differences)
    remedies = (_correct_cloud(cloud, differences),)
    return Explanation(_differs(cloud, differences), lines, remedies, az_says=OTHER_VALUES)


def _broken_line(broken: BrokenFile) -> str:
    after = "az removes such a file" if broken.removed else "every az command fails with it"
    if broken.flaw == "output":
        after = "every az command that prints fails with it"
    elif broken.path.suffix == ".json" or broken.flaw in ("boolean", "keyring", "unwritable"):
        after = "every az login fails with it"
    elif broken.flaw == "unreadable":
        after = "az takes it for one that is not there"
    return f"{broken.path}: {broken.detail}: {after}"


def _fix_file(report: ReportContext, az: AzFacts, broken: BrokenFile) -> Remedy:
    name, path = broken.path.name, str(broken.path)
    if (values := _VALUES.get(broken.flaw)) is not None:
        if broken.path.is_absolute():
            return _EDIT_OPTION.fill(path=path, values=values)
        return _UNSET_OPTION.fill(variable=name, env_variable=f"Env:{name}", values=values)
    if broken.flaw == "unwritable":
        return _fix_unwritable(az, broken)
    if broken.path.suffix == ".json":
        return _SET_ASIDE.fill(name=name, path=path, aside=f"{path}.broken")
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


def _fix_unwritable(az: AzFacts, broken: BrokenFile) -> Remedy:
    path = str(broken.path)
    if broken.detail.startswith("this user"):
        return _GIVE_BACK.fill(path=path)
    if broken.path == az.folder:
        return _OTHER_FOLDER.fill()
    return _SET_ASIDE.fill(name=broken.path.name, path=path, aside=f"{path}.broken")


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


# What each option of `az cloud update` sets, in a title.
_OPTIONS = {
    "--endpoint-active-directory": "login endpoint",
    "--endpoint-active-directory-resource-id": "audience",
    "--profile": "profile",
}


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
        "such a clouds.config; a truncated token cache ends every login) or cannot write, an "
        "option with a value that az does not take, a registered cloud of this stamp whose login "
        "endpoint, audience or profile is not what the stamp says, or an active cloud that is not "
        "registered. The "
        "check does not read them, and may be healthy. An old error without any of them is "
        "`az-stale-error-cache`; a profile that az does not know `az-too-new`."
    ),
    az_says=(
        "'…/clouds.config' is in bad format and has been removed; a traceback that ends in "
        "configparser, UnicodeDecodeError or CLIError, or in ValueError: Not a boolean: …; or "
        "Unable to get endpoints from the cloud"
    ),
    patterns={
        MessagePattern(
            "clouds.config cannot be parsed",
            r"is in bad format and has been removed|missingsectionheadererror"
            r"|file contains no section headers|source contains parsing errors"
            r"|duplicatesectionerror|duplicateoptionerror|configparser\.\w{1,40}error",
        ): 92,
        MessagePattern("an option of az is neither true nor false", r"not a boolean: "): 92,
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
    remedies=(
        _PUT_ASIDE,
        _CORRECT_CLOUD,
        _TAKE_MARK,
        _WRITE_UTF_8,
        _SET_ASIDE,
        _UNSET_OPTION,
        _EDIT_OPTION,
        _GIVE_BACK,
        _OTHER_FOLDER,
        _USE_CLOUD,
    ),
    advisories=(_az_config_broken, _active_not_registered),
)
