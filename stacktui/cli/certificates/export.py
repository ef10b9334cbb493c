"""`stacktui certificates export`: one bundle for az and others, which no upgrade touches."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from stacktui.certificates.export import (
    VARIABLES,
    Combined,
    combine,
    is_export,
    sources_of,
    write_export,
)
from stacktui.certificates.files import CertificateFileError, entries, read_certificates
from stacktui.certificates.trust import TrustSource
from stacktui.cli.ask import CommandError, confirm, yes_option
from stacktui.cli.certificates.place import plural, read_settings, tell
from stacktui.cli.options import config_option, format_option
from stacktui.cli.text import say
from stacktui.config.locations import exported_bundle
from stacktui.text.sanitize import visible
from stacktui.text.shell import bash, powershell


@click.command()
@click.argument(
    "file", metavar="[FILE]", required=False, type=click.Path(path_type=Path, readable=False)
)
@click.option("--environment", metavar="NAME", help="The ca of this environment alone, not of all.")
@yes_option
@format_option
@config_option
@click.pass_obj
def command(
    parent: Path | None,
    file: Path | None,
    environment: str | None,
    yes: bool,
    format_: str,
    config: Path | None,
) -> None:
    """Write one bundle for az and other programs: certifi's roots and yours.

    Holds the roots of this Python's certifi, of stacktui's own bundle and of the ca of every
    environment. Set REQUESTS_CA_BUNDLE to it, as the printed line does, and az trusts what
    stacktui trusts. It needs no root rights and survives upgrades; after further trust, export
    again.
    """
    import certifi

    settings = read_settings(parent, config)
    base = TrustSource("certifi", certifi.where())
    alone = [settings.target(environment).environment] if environment is not None else None
    sources = sources_of(alone or settings.environments.values())
    path = Path(os.path.abspath(file)) if file is not None else exported_bundle()
    _require_free(path, [base, *sources], named=file is not None, yes=yes)
    combined = combine(base, sources)
    for line in combined.left_out:
        tell(f"! left out: {line}")
    backup = write_export(path, combined)
    lines = {
        "bash": f"export REQUESTS_CA_BUNDLE={bash(str(path))}",
        "powershell": f"$env:REQUESTS_CA_BUNDLE = {powershell(str(path))}",
    }
    if format_ == "json":
        counts = [
            {"setting": part.source.setting, "path": part.source.path, "added": part.count}
            for part in combined.parts
        ]
        document = {
            "schema": 1,
            "path": str(path),
            "certificates": combined.count,
            "sources": counts,
            "left_out": list(combined.left_out),
            "backup": None if backup is None else str(backup),
            **lines,
        }
        click.echo(json.dumps(document))
    else:
        _write(path, combined, backup, lines)
    _warn_of_variables(combined)


def _require_free(path: Path, sources: list[TrustSource], *, named: bool, yes: bool) -> None:
    where = visible(str(path))
    for source in sources:
        if os.path.realpath(path) == os.path.realpath(source.path):
            raise CommandError(f"{where} is the {source.setting} itself; name another file")
    if named and not path.parent.is_dir():
        raise CommandError(f"{visible(str(path.parent))} is not a folder; make it first")
    if not is_export(path):
        confirm(f"{where} was not exported by stacktui. Write over it?", yes=yes)


def _write(path: Path, combined: Combined, backup: Path | None, lines: dict[str, str]) -> None:
    say(f"Wrote {plural(combined.count)} to {visible(str(path))}")
    for part in combined.parts:
        name = visible(part.source.setting)
        say(f"  {part.count:>5} of {name}")
    if backup is not None:
        say(f"As it was before: {visible(str(backup))}")
    say()
    say("For bash:")
    say(f"  {lines['bash']}")
    say("For PowerShell:")
    say(f"  {lines['powershell']}")
    tell()
    tell("The line counts for this shell; in ~/.bashrc or $PROFILE, for every one.")
    tell("It survives upgrades and needs no root rights.")
    tell("After further trust, export again.")


def _warn_of_variables(combined: Combined) -> None:
    """Whoever has a bundle of their own in use would lose its roots by the printed line."""
    variable = next((each for each in VARIABLES if os.environ.get(each)), None)
    if variable is None:
        return
    path = os.environ[variable]
    try:
        missing = set(read_certificates(Path(path))) - {
            each.der for each in entries(combined.content)
        }
    except CertificateFileError:
        return
    if missing:
        tell(f"! {variable} names {path} now.")
        tell(f"! It holds {plural(len(missing))} that the new file does not; add what you need of")
        tell("! them: stacktui certificates trust FILE")
