"""`stacktui environments aliases`: az's names for VM images, and which of them a stamp has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from stacktui.certificates.trust_target import FOLDER as CA_FOLDER
from stacktui.check.cloud import connection_to
from stacktui.check.image_aliases import AliasFetchError, fetch_aliases
from stacktui.check.pinning import AcceptError
from stacktui.check.target import CheckTarget
from stacktui.cli.arm import ArmSession, run_on, signing_in
from stacktui.cli.arm_subscription import subscription_of
from stacktui.cli.ask import CommandError, RemoteError, confirm, yes_option
from stacktui.cli.layout import out_fitting
from stacktui.cli.options import (
    ArmRequest,
    ConfigSource,
    ExitCode,
    environment_argument,
    examples,
    format_option,
    talks_to_stamp,
)
from stacktui.cli.output import encodable, err
from stacktui.cli.settings import absolute, read_settings, require_writable
from stacktui.config.atomic import write_atomically
from stacktui.config.locations import is_same_file, own_files
from stacktui.environments.alias_document import (
    SAMPLE,
    AliasDocument,
    ImageAlias,
    render_aliases,
)
from stacktui.exchange.alias_hosting import render
from stacktui.exchange.importing import SECRETS
from stacktui.exchange.shells import Shell, shell_of_this_machine
from stacktui.resources.images import ImageMatch, compare_images, location_of, offered_images
from stacktui.text.counts import count_of
from stacktui.text.shell import command_line, for_this_machine

SCHEMA = 1
_PUBLIC_MODE = 0o644


@click.command(
    epilog=examples(
        "stacktui environments aliases West --check",
        "stacktui environments aliases West --check --sample aliases.json > host.sh",
    )
)
@environment_argument
@click.option("--check", is_flag=True, help="Sign in, and compare with the images of the stamp.")
@click.option(
    "--sample",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a document to FILE: a sample or, with --check, of all images of the stamp.",
)
@click.option(
    "--shell",
    type=click.Choice([each.value for each in Shell]),
    default=shell_of_this_machine().value,
    show_default=True,
    help="The shell of the commands that --sample prints.",
)
@yes_option
@format_option
@talks_to_stamp
def command(
    source: ConfigSource,
    name: str | None,
    check: bool,
    sample: Path | None,
    shell: str,
    yes: bool,
    format_: str,
) -> None:
    """List the aliases of VM images that ENV (default: the active environment) gives to az.

    They are in the document whose URL is vm_image_aliases, fetched without a token. Shows the image
    of each alias, and what az could not read. With --check, shows for each image whether the stamp
    has it, and the URN to use: of the version latest, that of the highest one.

    With --sample, writes a document instead, and prints the commands by which the stamp itself
    hosts it: an account, a public container, the upload, and the setting.
    """
    if sample is not None:
        require_writable(source)
        _require_writable_file(sample := absolute(sample), absolute(source.path))
    settings = read_settings(source, name)
    request = ArmRequest(source, name, None, format_)
    target = signing_in(settings, name) if check else settings.target(name)
    if sample is not None:
        code = _write_sample(target, request, sample, Shell(shell), check=check, yes=yes)
    else:
        code = _list(target, request, check=check)
    click.get_current_context().exit(code)


def _list(target: CheckTarget, request: ArmRequest, *, check: bool) -> int:
    environment = target.environment
    if not (url := environment.vm_image_aliases):
        raise CommandError(_how_to_set(target))
    try:
        document = asyncio.run(fetch_aliases(target, url))
    except AliasFetchError as error:
        raise RemoteError(str(error)) from None
    matches: dict[str, ImageMatch] = {}
    if check and document.aliases:

        async def compare(session: ArmSession) -> int:
            subscription = await subscription_of(session)
            found = await compare_images(session.client, subscription, document.aliases)
            matches.update({each.alias.name: each for each in found})
            return ExitCode.HEALTHY

        if code := run_on(target, request, compare):
            return code
    if request.format_ == "json":
        head = {"schema": SCHEMA, "environment": environment.name, "url": url}
        click.echo(json.dumps(head | _document(document, matches)))
    else:
        _write_text(document, matches)
    bad = document.problems or any(each.missing for each in matches.values())
    return ExitCode.FAULT if bad else ExitCode.HEALTHY


def _how_to_set(target: CheckTarget) -> str:
    def own(words: str, *arguments: str) -> str:
        config = ("--config", str(target.config)) if target.config else ()
        line = command_line(f"stacktui environments {words}", (*arguments, *config))
        return for_this_machine(line)

    name = target.environment.name
    return (
        f"{name} has no document of VM image aliases. If there is one: {own('set', name)} "
        f"vm_image_aliases=URL. To make one: {own('aliases', name)} --sample FILE"
    )


def _write_text(document: AliasDocument, matches: Mapping[str, ImageMatch]) -> None:
    for problem in document.problems:
        out_fitting(f"! {problem}")
    rows = [(each.name, each.system, each.architecture or "-") for each in document.aliases]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for each, row in zip(document.aliases, rows, strict=True):
        match = matches.get(each.name)
        symbol = " " if match is None else "✗" if match.missing else "✓"
        cells = "  ".join(f"{text:<{wide}}" for text, wide in zip(row, widths, strict=True))
        out_fitting(f"{symbol} {cells}  {each.urn}", 4)
        if match is not None and match.missing:
            out_fitting(f"    {match.why_missing}", 6)
        elif match is not None and match.urn != each.urn:
            out_fitting(f"    use {match.urn}", 6)


def _document(document: AliasDocument, matches: Mapping[str, ImageMatch]) -> dict[str, Any]:
    return {
        "aliases": [_row(each, matches.get(each.name)) for each in document.aliases],
        "problems": [{"place": each.place, "text": each.text} for each in document.problems],
    }


def _row(alias: ImageAlias, match: ImageMatch | None = None) -> dict[str, Any]:
    row = {
        "alias": alias.name,
        "system": alias.system,
        "urn": alias.urn,
        "publisher": alias.publisher,
        "offer": alias.offer,
        "sku": alias.sku,
        "version": alias.version,
        "architecture": alias.architecture or None,
    }
    if match is None:
        return row
    return row | {
        "there": match.missing is None,
        "use": match.urn or None,
        "missing": match.missing,
        "instead": list(match.instead),
    }


def _require_writable_file(path: Path, config: Path) -> None:
    """Refuse a file of stacktui's own, and one whose folder is missing. Raises CommandError."""
    own = any(is_same_file(path, each) for each in (config, *own_files()))
    folders = (config.parent / CA_FOLDER, config.parent / SECRETS)
    if own or any(is_same_file(path.parent, each) for each in folders):
        raise CommandError(f"{path} is a file of stacktui's own; nothing was written")
    if not path.parent.is_dir():
        raise CommandError(f"{path} cannot be written: there is no folder {path.parent}")


def _write_sample(
    target: CheckTarget, request: ArmRequest, path: Path, shell: Shell, *, check: bool, yes: bool
) -> int:
    aliases: Sequence[ImageAlias] = SAMPLE
    subscription = location = ""
    if check:
        offered: list[ImageAlias] = []

        async def read(session: ArmSession) -> int:
            nonlocal subscription, location
            subscription = await subscription_of(session)
            location = await location_of(session.client, subscription)
            offered.extend(await offered_images(session.client, subscription))
            return ExitCode.HEALTHY

        if code := run_on(target, request, read):
            return code
        if not offered:
            raise RemoteError("the stamp has no VM images; without --check, a sample is written")
        aliases = offered
    if path.exists():
        confirm(f"{path} is there. Write over it?", yes=yes)
    try:
        write_atomically(path, render_aliases(aliases).encode(), mode=_PUBLIC_MODE)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
    err(f"{path}: written, with {count_of(len(aliases), 'image')}")
    if not check:
        err("they are public Azure's, for you to edit; --check writes those that the stamp has")
    try:
        connection = asyncio.run(connection_to(target, shell))
    except AcceptError as error:
        raise RemoteError(f"the commands that host it are not known: {error}") from None
    commands = render(connection, str(path), location, subscription)
    if request.format_ == "json":
        head = {"schema": SCHEMA, "environment": target.environment.name, "path": str(path)}
        rows = [_row(each) for each in aliases]
        click.echo(json.dumps(head | {"aliases": rows, "commands": commands}))
    else:
        click.echo(encodable(commands), nl=False)
    return ExitCode.HEALTHY
