"""`stacktui certificates export`: one bundle for az and others, which survives upgrades."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from stacktui.certificates.export import VARIABLES, Exported, export, is_free, sources_of
from stacktui.certificates.file_repair import read_certificates
from stacktui.certificates.files import CertificateFileError
from stacktui.certificates.formatting import EXPORT_NOTES
from stacktui.cli.ask import CommandError, confirm, yes_option
from stacktui.cli.name_completion import environment_names
from stacktui.cli.options import ConfigSource, examples, format_option, reads_config
from stacktui.cli.output import err, out
from stacktui.cli.settings import absolute, read_settings, require_writable
from stacktui.config.locations import exported_bundle
from stacktui.text.counts import count_of


@click.command(
    epilog=examples(
        "stacktui certificates export", "stacktui certificates export bundle.pem --environment West"
    )
)
@click.argument(
    "file", metavar="[FILE]", required=False, type=click.Path(path_type=Path, readable=False)
)
@click.option(
    "--environment",
    metavar="NAME",
    shell_complete=environment_names,
    help="Include the ca of this environment only.",
)
@yes_option
@format_option
@reads_config
def command(
    source: ConfigSource, file: Path | None, environment: str | None, yes: bool, format_: str
) -> None:
    """Write one bundle for az and other programs: certifi's roots and yours.

    The bundle holds the roots of this Python's certifi, of stacktui's own bundle and of the ca of
    every environment. Prints the line that sets REQUESTS_CA_BUNDLE to it; with that, az trusts what
    stacktui trusts. Needs no root rights, and survives upgrades. After trusting another root,
    export again.
    """
    require_writable(source)
    settings = read_settings(source)
    alone = [settings.target(environment).environment] if environment is not None else None
    environments = alone or settings.environments.values()
    path = absolute(file) if file is not None else exported_bundle()
    if file is not None and not path.parent.is_dir():
        raise CommandError(f"{path.parent} is not a folder; make it first")
    if not is_free(path, sources_of(environments)):
        confirm(f"{path} was not exported by stacktui. Write over it?", yes=yes)
    exported = export(environments, path, overwrite=True)
    for line in exported.left_out:
        err(f"! left out: {line}")
    if format_ == "json":
        click.echo(json.dumps(_document(exported)))
    else:
        _write(exported)
    _warn_of_variables(exported)


def _document(exported: Exported) -> dict[str, object]:
    backup = exported.backup
    return {
        "schema": 1,
        "path": str(exported.path),
        "certificates": exported.count,
        "sources": [
            {"setting": part.source.setting, "path": part.source.path, "added": part.count}
            for part in exported.parts
        ],
        "left_out": list(exported.left_out),
        "backup": None if backup is None else str(backup),
        "closed": None if exported.closed is None else str(exported.closed),
        **exported.lines,
    }


def _write(exported: Exported) -> None:
    out(f"Wrote {count_of(exported.count, 'certificate')} to {exported.path}")
    for part in exported.parts:
        out(f"  {part.count:>5} of {part.source.setting}")
    if exported.backup is not None:
        out(f"As it was before: {exported.backup}")
    out()
    for shell, name in (("bash", "bash"), ("powershell", "PowerShell")):
        out(f"For {name}:")
        out(f"  {exported.lines[shell]}")
    err()
    err("This applies to the current shell; put the line in ~/.bashrc or $PROFILE to keep it.")
    for note in EXPORT_NOTES:
        err(note)
    if (closed := exported.closed) is not None:
        err(f"{closed} is closed to other users: only your own programs can read the bundle.")
        err("For those of others, name a FILE elsewhere.")


def _warn_of_variables(exported: Exported) -> None:
    """Warn if the variable already names a bundle with roots that the new file does not hold."""
    variable = next((each for each in VARIABLES if os.environ.get(each)), None)
    if variable is None:
        return
    path = os.environ[variable]
    try:
        missing = set(read_certificates(Path(path))) - set(read_certificates(exported.path))
    except CertificateFileError:
        return
    if missing:
        number = count_of(len(missing), "certificate")
        err(f"! {variable} names {path} now.")
        err(f"! It holds {number} that the new file does not; add what you need of")
        err("! them: stacktui certificates trust FILE")
