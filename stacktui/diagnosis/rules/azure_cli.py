"""`az` beside us: why it may fail where the check does not. These fail no check (see `beside`)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacktui.check.report import Outcome, StepName
from stacktui.diagnosis.context import Explained, ReportContext, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.shell import bash, for_az, powershell
from stacktui.environments.metadata import Metadata
from stacktui.environments.model import parse_arm_url
from stacktui.identities.authority import may_ask
from stacktui.transport.text import HELD_BACK, REDACTED

if TYPE_CHECKING:
    from stacktui.environments.azure_cli import AzFacts, AzInstallation
    from stacktui.environments.azure_clouds import AzCloud, BrokenFile

Quote = Callable[[str], str]
Command = Callable[[Quote], str]

# PROTOCOL.md section 1: the last minor version that works with a stamp.
LAST = (2, 66)
_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")
# The clouds that az knows by itself; none of them is a stamp, and newer versions work with them.
_PUBLIC_ARM = frozenset(
    {
        "management.azure.com",
        "management.chinacloudapi.cn",
        "management.usgovcloudapi.net",
        "management.microsoftazure.de",
    }
)
_PUBLIC_CLOUDS = frozenset(
    {"AzureCloud", "AzureChinaCloud", "AzureUSGovernment", "AzureGermanCloud"}
)
_NEWEST = "latest"
# A check takes a while, and az may have been refused meanwhile.
_MEANWHILE = timedelta(minutes=1)
# Python 3.12 is the newest that azure-cli 2.66 is made for.
_INSTALL_BASH = (
    '"$(command -v python3.12 || command -v python3.11 || command -v python3.10 || echo python3)"'
    " -m venv ~/az-2.66 && ~/az-2.66/bin/python -m pip install 'azure-cli==2.66.*'"
    ' && export PATH="$HOME/az-2.66/bin:$PATH"'
)
_INSTALL_POWERSHELL = (
    r'py -3.12 -m venv "$HOME\az-2.66"; '
    r"""& "$HOME\az-2.66\Scripts\python.exe" -m pip install 'azure-cli==2.66.*'; """
    r'$env:PATH = "$HOME\az-2.66\Scripts;$env:PATH"'
)


@rule(
    "az-too-new",
    Side.BOX,
    "TypeError: list indices must be integers or slices, not str (on `az cloud register`); Profile "
    "2020-09-01-hybrid does not exist or is not supported; or InvalidApiVersionParameter",
)
def az_too_new(scene: ReportContext) -> Explained | None:
    az = scene.report.az
    if az is None or az.runs is None or not _is_too_new(az.runs) or not _is_stamp(scene):
        return None
    title = f"az {az.runs.version} is too new for a stamp: 2.66 is the last that works with one"
    evidence = [f"{az.runs.launcher} is azure-cli {az.runs.version}"]
    if "-hybrid" in scene.environment.profile:
        evidence.append(f"since 2.67 az does not know the profile {scene.environment.profile}")
    evidence.append("it reads metadata as one object, where a stamp answers it with a list")
    fits = [each for each in az.installations if _version(each) == LAST]
    remedies = [_first_on_path(each) for each in fits[:1]] or [
        Remedy(
            "Install az 2.66 in a virtual environment of its own (with Python 3.12 or older), and "
            "use it in this shell; the newer one stays as it is",
            _INSTALL_BASH,
            _INSTALL_POWERSHELL,
        )
    ]
    return title, tuple(evidence), tuple(remedies)


def _version(installed: AzInstallation) -> tuple[int, int] | None:
    found = _VERSION.match(installed.version)
    return (int(found[1]), int(found[2])) if found else None


def _is_too_new(installed: AzInstallation) -> bool:
    version = _version(installed)
    return version is not None and version > LAST


def _is_stamp(scene: ReportContext) -> bool:
    """Whether what answered as ARM is known to be a stamp, and not one of the public clouds."""
    try:
        host = urlsplit(scene.environment.arm).hostname
    except ValueError:
        return False
    public = host in _PUBLIC_ARM or scene.environment.profile == _NEWEST
    return _metadata(scene) is not None and not public


def _metadata(scene: ReportContext) -> Metadata | None:
    results = (step.evidence.result for step in scene.report.steps)
    return next((each for each in results if isinstance(each, Metadata)), None)


def _first_on_path(installed: AzInstallation) -> Remedy:
    folder = str(installed.launcher.parent)
    return Remedy(
        f"Use az {installed.version}, which is on this box too ({installed.launcher})",
        f'export PATH={bash(folder)}:"$PATH"',
        f"$env:PATH = {powershell(folder)} + [IO.Path]::PathSeparator + $env:PATH",
    )


@rule(
    "az-config-broken",
    Side.BOX,
    "'…/clouds.config' is in bad format and has been removed; a traceback that ends in "
    "configparser, UnicodeDecodeError or CLIError; or Unable to get endpoints from the cloud",
)
def az_config_broken(scene: ReportContext) -> Explained | None:
    az = scene.report.az
    if az is None:
        return None
    evidence = [_broken_line(each) for each in az.broken]
    remedies = [remedy for each in az.broken for remedy in _mends(scene, az, each)]
    title = f"az cannot use {az.broken[0].path.name}" if az.broken else ""
    if any(each.removed for each in az.broken):
        title = "az will remove clouds.config, with every cloud in it, at its next command"
    if (metadata := _metadata(scene)) is not None:
        for cloud in _ours(scene, az):
            if wrong := tuple(_contradictions(scene, cloud, metadata)):
                title = title or f"The cloud {cloud.name} of az is not what the stamp says it is"
                evidence += [f"[{cloud.name}] {line}" for line, _, _ in wrong]
                remedies.append(_updated(cloud, wrong))
    return (title, tuple(evidence), tuple(remedies)) if evidence else None


# A flaw is compared by its value: its module is loaded only where there is an az.
def _broken_line(broken: BrokenFile) -> str:
    after = "az removes such a file" if broken.removed else "every az command fails with it"
    if broken.flaw == "unreadable":
        after = "az takes it for one that is not there"
    return f"{broken.path}: {broken.detail}: {after}"


def _mends(scene: ReportContext, az: AzFacts, broken: BrokenFile) -> Iterator[Remedy]:
    path = str(broken.path)
    rewrite = (
        f"[IO.File]::WriteAllText({powershell(path)}, [IO.File]::ReadAllText({powershell(path)}))"
    )
    new = bash(f"{path}.new")
    replace = f"{new} && mv -- {new} {bash(path)}"
    if broken.flaw == "byte-order-mark":
        title = f"Take the byte-order mark away from {broken.path.name}"
        yield Remedy(title, f"tail -c +4 {bash(path)} > {replace}", rewrite)
    elif broken.flaw == "utf-16":
        title = f"Write {broken.path.name} as UTF-8"
        yield Remedy(title, f"iconv -f UTF-16 -t UTF-8 {bash(path)} > {replace}", rewrite)
    else:
        again = (_registered if broken.path.name == "clouds.config" else _chosen)(scene, az)
        in_bash, in_powershell = zip(*map(for_az, again), strict=True)
        aside = f"Move-Item -LiteralPath {powershell(path)} {powershell(f'{path}.broken')}"
        yield Remedy(
            f"Mend {broken.path.name} in an editor; or put it aside, and say anew what it held",
            f"mv -- {bash(path)} {bash(f'{path}.broken')} && " + " && ".join(in_bash),
            "; ".join((aside, *in_powershell)) if all(in_powershell) else "",
        )


def _registered(scene: ReportContext, az: AzFacts) -> list[Command]:
    """The commands that make az know the stamp."""
    name, arm, profile = _name(scene, az), scene.environment.arm, scene.environment.profile
    return [
        lambda quote: (
            f"az cloud register -n {quote(name)} --endpoint-resource-manager {quote(arm)}"
        ),
        lambda quote: f"az cloud set -n {quote(name)}",
        lambda quote: f"az cloud update --profile {quote(profile)}",
    ]


def _chosen(scene: ReportContext, az: AzFacts) -> list[Command]:
    """The command that makes az use the stamp again, which it still knows."""
    name = next((each.name for each in _ours(scene, az)), _name(scene, az))
    return [lambda quote: f"az cloud set -n {quote(name)}"]


def _name(scene: ReportContext, az: AzFacts) -> str:
    used = az.active if az.active not in _PUBLIC_CLOUDS else ""
    return used or scene.environment.name


def _ours(scene: ReportContext, az: AzFacts) -> tuple[AzCloud, ...]:
    """What az has registered of the stamp: the cloud in use if it is one of them, else all."""
    ours = tuple(each for each in az.clouds if _same_arm(each.arm, scene.environment.arm))
    return tuple(each for each in ours if each.name == az.active) or ours


def _same_arm(url: str, arm: str) -> bool:
    try:
        return parse_arm_url(url) == arm
    except ValueError:
        return False


# What is wrong in words, the option of `az cloud update` for it, and its value.
Wrong = tuple[str, str, str]


def _contradictions(scene: ReportContext, cloud: AzCloud, metadata: Metadata) -> Iterator[Wrong]:
    login, audience = metadata.login_endpoint, metadata.audience
    if _is_shown(login) and not _same_login(cloud.login, login):
        said = _against("endpoint_active_directory", cloud.login, login)
        yield said, "--endpoint-active-directory", login
    if _is_shown(audience) and cloud.audience != audience:
        said = _against("endpoint_active_directory_resource_id", cloud.audience, audience)
        yield said, "--endpoint-active-directory-resource-id", audience
    profile = scene.environment.profile
    if cloud.profile in ("", _NEWEST) and _is_stamp(scene):
        said = f"profile is {cloud.profile or 'missing'}, with api-versions that no stamp knows"
        yield f"{said}; the check uses {profile}", "--profile", profile


def _against(option: str, registered: str, told: str) -> str:
    return f"{option} is {registered or 'missing'}; the stamp's is {told}"


def _is_shown(text: str) -> bool:
    """Whether a value of the metadata is in the report as it came."""
    return text != HELD_BACK and REDACTED not in text and not text.endswith("…")


def _same_login(registered: str, told: str) -> bool:
    one, other = registered.rstrip("/").lower(), told.rstrip("/").lower()
    if one == other:
        return True
    try:  # the public login hosts are aliases of each other
        return may_ask(one, other) and urlsplit(one).path == urlsplit(other).path
    except ValueError:
        return False


def _updated(cloud: AzCloud, wrong: tuple[Wrong, ...]) -> Remedy:
    def pasted(quote: Quote) -> str:
        options = " ".join(f"{option} {quote(value)}" for _, option, value in wrong)
        return f"az cloud update -n {quote(cloud.name)} {options}"

    in_bash, in_powershell = for_az(pasted)
    what = ", ".join(f"{option} {value}" for _, option, value in wrong)
    told = "what the stamp says" if in_powershell else f"what the stamp says ({what})"
    title = f"Tell the cloud {cloud.name} of az {told}, then sign in again"
    return Remedy(title, in_bash, in_powershell)


@rule(
    "az-stale-error-cache",
    Side.BOX,
    "the error of a while ago, word for word, without asking again",
)
def az_stale_error_cache(scene: ReportContext) -> Explained | None:
    az = scene.report.az
    token = next((each for each in scene.report.steps if each.name is StepName.TOKEN), None)
    # Where our own sign-in is refused too, what az repeats may be true.
    if az is None or token is None or token.outcome is not Outcome.OK:
        return None
    asked = {each.url for each in token.evidence.exchanges if each.method == "POST"}
    kept = [
        each for each in az.kept
        if each.url in asked and each.ends > scene.now and each.made <= scene.now + _MEANWHILE
    ]  # fmt: skip
    if not kept:
        return None
    last = max(kept, key=lambda each: each.ends)
    left = math.ceil((last.ends - scene.now).total_seconds())
    title = f"az still repeats an error of the login host, for {left} s more: {last.said}"
    evidence = [
        f"{each.url} answered {each.said} at {each.made:%H:%M:%S} UTC, and az gives that to the "
        f"same sign-in until {each.ends:%H:%M:%S} UTC without asking"
        for each in kept
    ]
    evidence.append("the same URL gave this check a token")
    path = az.folder / "msal_http_cache.bin"
    remedies = (
        Remedy("Wait, then try az again", f"sleep {left}", f"Start-Sleep -Seconds {left}"),
        Remedy(
            "Or have az forget the answers that it keeps (no sign-in is lost)",
            f"rm -f -- {bash(str(path))}",
            f"Remove-Item -LiteralPath {powershell(str(path))}",
        ),
    )
    return title, tuple(evidence), remedies


# What each variable does, in az 2.66.2: with the first set, its first two commands still verified.
_TURNED_OFF = {
    "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION": (
        "with any value, 0 too, az gives its tokens to whoever answers in the stamp's place; and "
        "as `az cloud register` and `az login` verify all the same, it mends nothing"
    ),
    "ADAL_PYTHON_SSL_NO_VERIFY": (
        "programs with the old ADAL library send secrets to whoever answers in the login host's "
        "place; az itself does not read it any more"
    ),
}


@rule(
    "verification-off",
    Side.BOX,
    "Connection verification disabled by environment variable "
    "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION",
)
def verification_off(scene: ReportContext) -> Explained | None:
    az = scene.report.az
    if az is None or not az.unverified:
        return None
    names = [name for name, _ in az.unverified]
    title = f"Verification of certificates is switched off on this box: {', '.join(names)}"
    evidence = tuple(
        f"{name}={value}: {_TURNED_OFF.get(name, 'set')}" for name, value in az.unverified
    )
    remedies = (
        Remedy(
            "Verify again: in this shell, and wherever the variable is set for good",
            f"unset {' '.join(map(bash, names))}",
            f"Remove-Item {', '.join(powershell(f'Env:{name}') for name in names)}",
        ),
        Remedy(
            "And have az trust what is trusted here: write a bundle, and name it as this says",
            f"stacktui certificates export{scene.config_option(bash)}",
            f"stacktui certificates export{scene.config_option(powershell)}",
        ),
    )
    return title, evidence, remedies


RULES = (az_too_new, az_config_broken, az_stale_error_cache, verification_off)
