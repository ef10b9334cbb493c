"""The commands that put a document of VM image aliases where az and stacktui can read it.

A storage account of the stamp with a public container. The options are those of az 2.66 with a
hybrid profile.
"""

from __future__ import annotations

from stacktui.environments.model import CloudKey
from stacktui.environments.naming import suffixes
from stacktui.exchange import az_setup
from stacktui.exchange.az_setup import Command
from stacktui.exchange.connection import Connection
from stacktui.exchange.shells import az_line, comment, own_line

_GROUP, _ACCOUNT, _CONTAINER, _BLOB = "image-aliases", "imagealiases", "aliases", "aliases.json"
# What is written where the names of the stamp do not tell it.
_LOCATION, _SUFFIX = "LOCATION", "STORAGE-SUFFIX"
_ACCOUNT_NAME = f"""\
The name of an account is unique on the stamp: if {_ACCOUNT} is taken, choose another,
of 3 to 24 lower-case letters and digits."""


def alias_url(connection: Connection) -> str:
    """Return the URL that the document has once it is uploaded."""
    host = connection.environment.arm.partition("://")[2].partition(":")[0]
    suffix = connection[CloudKey.STORAGE_SUFFIX] or suffixes(host)[0] or _SUFFIX
    return f"https://{_ACCOUNT}.blob.{suffix.lstrip('.')}/{_CONTAINER}/{_BLOB}"


def render(connection: Connection, file: str) -> str:
    """Return the commands that host `file`, for the machine's shell and its az."""
    shell, name, url = connection.machine.shell, connection.environment.name, alias_url(connection)
    config = connection.machine.config
    of_config = ("--config", str(config)) if config else ()
    lines = [
        connection.heading(shell),
        *az_setup.lines(shell, connection.machine.az),
        comment(shell, _ACCOUNT_NAME),
        *(az_line(shell, each) for each in _account(connection.region or _LOCATION)),
        comment(shell, f"Anybody who reaches the stamp may read what is in {_CONTAINER}:"),
        *(az_line(shell, each) for each in _blob(file)),
        comment(shell, "stacktui reads it from there, and az after the export:"),
        own_line(shell, "stacktui environments set", (name, f"vm_image_aliases={url}", *of_config)),
        own_line(shell, "stacktui environments export", (name, "--format", "az", *of_config)),
    ]
    return "\n".join(lines) + "\n"


def _account(location: str) -> tuple[Command, ...]:
    return (
        lambda quote: f"az group create --name {_GROUP} --location {quote(location)}",
        lambda quote: (
            f"az storage account create --name {_ACCOUNT} --resource-group {_GROUP} "
            f"--location {quote(location)} --sku Standard_LRS"
        ),
    )


def _blob(file: str) -> tuple[Command, ...]:
    of_account = f"--account-name {_ACCOUNT}"
    blob = f"{of_account} --container-name {_CONTAINER} --name {_BLOB}"
    return (
        lambda _: (
            f"az storage container create --name {_CONTAINER} {of_account} --public-access blob"
        ),
        lambda quote: (
            f"az storage blob upload {blob} --file {quote(file)} --content-type application/json"
        ),
        lambda _: f"az storage blob url {blob} --output tsv",
    )
