"""The commands that put a document of VM image aliases where az and stacktui can read it.

A storage account of the stamp with a public container. The options are those of az 2.66 with a
hybrid profile. The first command that fails ends them: an account that another tenant has must not
become the URL of the document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from stacktui.environments.model import CloudKey
from stacktui.exchange import az_setup
from stacktui.exchange.connection import Connection
from stacktui.exchange.shells import (
    Quote,
    Shell,
    az_line,
    comment,
    own_line,
    plain,
    set_variables,
)

_GROUP, _CONTAINER, _BLOB = "image-aliases", "aliases", "aliases.json"
_ACCOUNT, _LOCATION, _URL = "ALIASES_ACCOUNT", "ALIASES_LOCATION", "ALIASES_URL"
# What is written where nothing tells the location.
_UNKNOWN = "LOCATION"
_SIGN_IN = "az must have this cloud and be signed in to it. For the commands that do it:"
_LOCATION_UNKNOWN = (
    "The location of the stamp, which this lists: az account list-locations --output table"
)
_ABOUT_ACCOUNT = """\
The name of an account is unique on the stamp. If this one is taken, choose another,
of 3 to 24 lower-case letters and digits."""
_ABOUT_COMMANDS = f"""\
Anybody who reaches the stamp may read what is in {_CONTAINER}. stacktui reads it from
there, and az after the export. The first command that fails ends these:"""
_VALUE = {Shell.BASH: "${}", Shell.POWERSHELL: "$env:{}", Shell.CMD: "%{}%"}
_URL_FILE = f"%TEMP%\\{_URL}.txt"


def account_name(connection: Connection, subscription: str) -> str:
    """Return a name for the account: the same for a stamp and a subscription, and no other."""
    of = f"{connection.environment.arm}\n{subscription}".lower()
    return f"aliases{hashlib.sha256(of.encode()).hexdigest()[:16]}"


def render(connection: Connection, file: str, location: str = "", subscription: str = "") -> str:
    """Return the commands that host `file`, for the machine's shell and its az.

    `location` and `subscription` are what ARM says, where it was asked. If the shell cannot give az
    a value, comments say which, and there is no command at all.
    """
    shell = connection.machine.shell
    subscription = subscription or connection.environment.subscription or ""
    location = next(
        (each for each in (location, _location(connection)) if plain(each, "")), _UNKNOWN
    )
    commands = [
        *(az_line(shell, each) for each in _commands(connection, file, subscription)),
        f"{_own_line(connection, 'set')} {_value(shell, _URL, 'vm_image_aliases=')}",
        _own_line(connection, "export", "--format", "az"),
    ]
    lines = [connection.heading(shell)]
    if left_out := [each for each in commands if each.startswith(("# ", "rem "))]:
        return "\n".join([*lines, *left_out]) + "\n"
    lines += [
        *az_setup.lines(shell, connection.machine.az),
        comment(shell, _SIGN_IN),
        comment(shell, f"  {_own_line(connection, 'export', '--format', 'az-commands')}"),
        comment(shell, _ABOUT_ACCOUNT),
        *set_variables(shell, [(_ACCOUNT, account_name(connection, subscription))]),
        *([comment(shell, _LOCATION_UNKNOWN)] if location == _UNKNOWN else []),
        *set_variables(shell, [(_LOCATION, location)]),
        comment(shell, _ABOUT_COMMANDS),
        *_until_one_fails(shell, commands),
    ]
    return "\n".join(lines) + "\n"


def _location(connection: Connection) -> str:
    """Return what the stamp's names tell: the region is its location. Empty for a public cloud."""
    if connection.built_in:
        return ""
    suffix = connection[CloudKey.STORAGE_SUFFIX].lstrip(".")
    return connection.region or suffix.partition(".")[0]


def _commands(connection: Connection, file: str, subscription: str) -> Sequence[az_setup.Command]:
    """Return az's commands; the last one prints the URL of the document."""
    shell = connection.machine.shell
    account, location = _value(shell, _ACCOUNT), _value(shell, _LOCATION)
    of_account = f"--account-name {account}"
    blob = f"{of_account} --container-name {_CONTAINER} --name {_BLOB}"

    def upload(quote: Quote) -> str:
        return f"az storage blob upload {blob} --file {quote(file)} --content-type application/json"

    cloud = connection.built_in or connection.environment.name
    return (
        az_setup.selecting(cloud),
        *([az_setup.subscribing(subscription)] if subscription else []),
        lambda _: f"az group create --name {_GROUP} --location {location}",
        lambda _: (
            f"az storage account create --name {account} --resource-group {_GROUP} "
            f"--location {location} --sku Standard_LRS"
        ),
        lambda _: (
            f"az storage container create --name {_CONTAINER} {of_account} --public-access blob"
        ),
        upload,
        lambda _: f"az storage blob url {blob} --output tsv",
    )


def _own_line(connection: Connection, word: str, *options: str) -> str:
    name, config = connection.environment.name, connection.machine.config
    words = (name, *options, *(("--config", str(config)) if config else ()))
    return own_line(connection.machine.shell, f"stacktui environments {word}", words)


def _value(shell: Shell, variable: str, before: str = "") -> str:
    """Return the word that is `before` and the value of a variable that is set already."""
    return f'"{before}{_VALUE[shell].format(variable)}"'


def _until_one_fails(shell: Shell, commands: Sequence[str]) -> Sequence[str]:
    """Return lines that run the commands until one fails, in a file and pasted into a shell, which
    stays open. The third from the end prints the URL that the last two take."""
    *before, url, setting, export = commands
    match shell:
        case Shell.BASH:  # a comment in it would be a command that fails in an interactive zsh
            return ["(", "set -e", *before, f"{_URL}=$({url})", setting, export, ")"]
        case Shell.POWERSHELL:
            # Without az, no command sets the exit code.
            steps = ["$global:LASTEXITCODE = 1", *before, f"$env:{_URL} = {url}", setting]
            checked = [f"{each}; if ($LASTEXITCODE) {{ return }}" for each in steps[1:]]
            return ["& {", steps[0], *checked, export, "}"]
        case Shell.CMD:
            # `exit /b` would close a prompt; a variable is read as its line starts.
            steps = [*before, f'{url} > "{_URL_FILE}"', f'set /p "{_URL}=" < "{_URL_FILE}"']
            return [
                f'set "{_URL}="',
                *(f"{each} && ^" for each in steps[:-1]),
                steps[-1],
                f"if defined {_URL} {setting} && {export}",
            ]
