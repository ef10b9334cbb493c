"""`stacktui certificates untrust`: remove what was added, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from stacktui.certificates.chain import describe
from stacktui.certificates.document import SCHEMA, certificate_document
from stacktui.certificates.export import exports_with
from stacktui.certificates.file_repair import read_certificates
from stacktui.certificates.untrust_root import Removal, plan_untrust, untrust
from stacktui.cli.ask import confirm, yes_option
from stacktui.cli.certificates.targets import (
    environment_option,
    fingerprint_in,
    store_option,
    target_of,
)
from stacktui.cli.options import ConfigSource, examples, format_option, reads_config
from stacktui.cli.output import err, out
from stacktui.cli.settings import read_settings, require_writable
from stacktui.config.locations import exported_bundle
from stacktui.text.counts import count_of
from stacktui.text.shell import command_line, for_this_machine


@click.command(epilog=examples("stacktui certificates untrust root.pem"))
@click.argument(
    "which",
    metavar="FILE|SHA256...",
    nargs=-1,
    required=True,
    shell_complete=click.Path().shell_complete,
)
@store_option
@environment_option
@yes_option
@format_option
@reads_config
def command(
    source: ConfigSource,
    which: tuple[str, ...],
    store: Path | None,
    environment: str | None,
    yes: bool,
    format_: str,
) -> None:
    """Remove the roots in FILE, or the one with this SHA-256, that stacktui added.

    Removes them from stacktui's own bundle, unless --environment or --store names another one. The
    file is then as it was before, byte for byte. What others added stays.
    """
    require_writable(source)
    settings = read_settings(source, environment) if environment else None
    target = target_of(settings, store, environment, to_add=False)
    removal = plan_untrust(target, _fingerprints(which))
    if removal.removed and not target.ours:
        number = count_of(len(removal.removed), "certificate")
        confirm(f"Take {number} out of {target.path!s}?", yes=yes)
    trouble = untrust(removal)
    # A root that is removed from one program's bundle may be meant to stay in the others'.
    exported = exports_with(removal.removed) if store is None else ()
    if format_ == "json":
        click.echo(json.dumps(_document(removal, exported)))
    else:
        _write(removal)
    for path in exported:
        named = () if path == exported_bundle() else (str(path),)
        again = for_this_machine(command_line("stacktui certificates export", named))
        err(f"! {path}, which was exported before, still holds it: {again}")
    if trouble:
        err(f"! {trouble}")


def _fingerprints(which: Collection[str]) -> set[str]:
    found = set()
    for each in which:
        fingerprint = fingerprint_in(each)
        if fingerprint is not None:
            found.add(fingerprint)
        else:
            found |= {sha256(der).hexdigest() for der in read_certificates(Path(each))}
    return found


def _write(removal: Removal) -> None:
    target = removal.target
    if removal.removed:
        what = "the file is gone with it" if removal.file_removed else "the rest is as it was"
        out(f"Took {count_of(len(removal.removed), 'certificate')} out of {target.path}; {what}")
    if removal.file_removed and target.environments:
        out(f"Took ca out of {', '.join(target.environments)}")
    for der in removal.present:
        err(f"! {describe(der).common_name} is there in another form too, not added by stacktui")
    for each in removal.lost:
        out(f"Forgotten: {each.subject} was no longer in {target.path}")


def _document(removal: Removal, exported: Collection[Path]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "schema": SCHEMA,
        "path": str(removal.target.path),
        "environments": list(removal.target.environments),
        "removed": [certificate_document(describe(der), now) for der in removal.removed],
        "present": [certificate_document(describe(der), now) for der in removal.present],
        "forgotten": [{"sha256": each.sha256, "subject": each.subject} for each in removal.lost],
        "file_removed": removal.file_removed,
        "still_exported": [str(each) for each in exported],
    }
