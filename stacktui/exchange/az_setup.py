"""Getting `az` to work with a stamp: a version that can, and a cloud that is registered.

Source: PROTOCOL.md section 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from stacktui.exchange.shells import Quote, Shell, comment, plain
from stacktui.text.shell import bash, in_cmd_quotes, powershell

if TYPE_CHECKING:
    from stacktui.azure_cli.facts import AzFacts, AzInstallation

Command = Callable[[Quote], str]
# The only version that is supported for stamps, and the last that works with one.
SUPPORTED = (2, 66)
LAST_WORKING = (2, 72)
_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")

# Python 3.12 is the newest that azure-cli 2.66 supports. Each is tried: pyenv has a command for
# those too that it does not run.
_PYTHON = (
    '"$(for p in python3.{12,11,10} python3; do $p -c pass 2>/dev/null && echo $p && break; done)"'
)
# For each shell: the virtual environment, the installation into it, and its use in this shell.
INSTALL = {
    Shell.BASH: (
        f"{_PYTHON} -m venv ~/az-2.66",
        "~/az-2.66/bin/python -m pip install 'azure-cli==2.66.*'",
        'export PATH="$HOME/az-2.66/bin:$PATH"',
    ),
    Shell.POWERSHELL: (
        r'py -3.12 -m venv "$HOME\az-2.66"',
        r"""& "$HOME\az-2.66\Scripts\python.exe" -m pip install 'azure-cli==2.66.*'""",
        r'$env:PATH = "$HOME\az-2.66\Scripts;$env:PATH"',
    ),
    Shell.CMD: (
        r'py -3.12 -m venv "%USERPROFILE%\az-2.66"',
        r'"%USERPROFILE%\az-2.66\Scripts\python.exe" -m pip install "azure-cli==2.66.*"',
        r'set "PATH=%USERPROFILE%\az-2.66\Scripts;%PATH%"',
    ),
}
_WHEELS = "az-2.66-wheels"
# Use an az of another folder; the folder is one word of the shell.
USE_FOLDER = {
    Shell.BASH: 'export PATH={folder}:"$PATH"',
    Shell.POWERSHELL: "$env:PATH = {folder} + [IO.Path]::PathSeparator + $env:PATH",
}


def version_of(installed: AzInstallation) -> tuple[int, int] | None:
    """Return the major and minor version, None if it is not known."""
    found = _VERSION.match(installed.version)
    return (int(found[1]), int(found[2])) if found else None


def fitting(az: AzFacts) -> AzInstallation | None:
    """Return the installation to use with a stamp: one of 2.66, else the first that works."""
    known = [(each, version_of(each)) for each in az.installations]
    supported = (each for each, version in known if version == SUPPORTED)
    working = (each for each, version in known if version and version <= LAST_WORKING)
    return next(supported, None) or next(working, None)


def too_new(az: AzFacts | None) -> str:
    """Return why the az that a shell runs cannot work with a stamp; empty if it can, or may."""
    runs = az.runs if az is not None else None
    if runs is None or (version_of(runs) or (0, 0)) <= LAST_WORKING:
        return ""
    return f"az {plain(runs.version)} cannot work with a stamp: 2.72 is the last that can."


def lines(shell: Shell, az: AzFacts | None) -> Iterator[str]:
    """Yield what makes `az` in this shell one that works with a stamp; nothing if it does."""
    runs = az.runs if az is not None else None
    version = version_of(runs) if runs is not None else None
    if runs is not None and (version is None or version <= LAST_WORKING):
        if version is None:
            yield comment(shell, "The version of az is not known; 2.66 is supported for stamps.")
        elif version > SUPPORTED:
            said = f"az {plain(runs.version)} works with a stamp; only 2.66 is supported for one."
            yield comment(shell, said)
        return
    if said := too_new(az):
        yield comment(shell, said)
    if az is not None and (fit := fitting(az)) is not None:
        yield comment(shell, f"This machine has az {plain(fit.version)} too, for this shell:")
        yield _use(shell, str(fit.launcher.parent))
        return
    yield comment(shell, "az 2.66 in a virtual environment of its own (Python 3.12 or older):")
    yield from INSTALL[shell]
    yield from _without_internet(shell)


def _use(shell: Shell, folder: str) -> str:
    if shell is Shell.CMD:
        try:
            return f'set "PATH={in_cmd_quotes(folder)};%PATH%"'
        except ValueError:
            return comment(shell, "Put its folder before the others in PATH.")
    quote = bash if shell is Shell.BASH else powershell
    return USE_FOLDER[shell].format(folder=quote(folder))


def _without_internet(shell: Shell) -> Iterator[str]:
    venv, install, _ = INSTALL[shell]
    python = venv.partition(" -m ")[0]
    requirement = install.rpartition(" ")[2]
    offline = install.replace("install ", f"install --no-index --find-links {_WHEELS} ", 1)
    text = f"""\
Without internet: where there is some, on the same system and Python,
  {python} -m pip wheel -w {_WHEELS} {requirement}
then copy the folder {_WHEELS} here, and install with
  {offline}"""
    yield comment(shell, text)


def what_still_works(shell: Shell, az: AzFacts | None, audience: str) -> Iterator[str]:
    """Yield what an az of 2.73 or later can do with a stamp, if that is what a shell runs."""
    if az is None or az.runs is None or not too_new(az):
        return
    text = f"""\
What az {plain(az.runs.version)} itself still can do on a stamp, and nothing else:
  az cloud register --skip-endpoint-discovery, from 2.75 on, with every endpoint
  az login --skip-subscription-discovery, from 2.86 on
  az account get-access-token --resource {plain(audience, "AUDIENCE")}
  az rest on what is above subscriptions
Commands of a subscription fail with InvalidApiVersionParameter."""
    yield comment(shell, text)


def registering(name: str, arm: str, profile: str, options: Command | None = None) -> list[Command]:
    """Return the commands that register a stamp with az and select it."""

    def register(quote: Quote) -> str:
        more = options(quote) if options else ""
        return f"az cloud register -n {quote(name)} --endpoint-resource-manager {quote(arm)}{more}"

    return [
        register,
        selecting(name),
        lambda quote: f"az cloud update --profile {quote(profile)}",
    ]


def selecting(name: str) -> Command:
    return lambda quote: f"az cloud set -n {quote(name)}"


def subscribing(subscription: str) -> Command:
    return lambda quote: f"az account set --subscription {quote(subscription)}"
