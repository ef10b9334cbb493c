"""`stacktui certificates untrust`: what was added is taken out again, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from stacktui.certificates.additions import Addition, forget, read_additions, remembered_of
from stacktui.certificates.bundle import BundleError, Change, plan_removal
from stacktui.certificates.chain import describe
from stacktui.certificates.errors import CertificateError
from stacktui.certificates.export import exports_with
from stacktui.certificates.files import (
    CertificateFileError,
    FileProblem,
    entries,
    read_certificates,
    read_content,
)
from stacktui.certificates.trust_target import TrustTarget, remove
from stacktui.cli.ask import confirm, yes_option
from stacktui.cli.certificates.targets import (
    environment_option,
    fingerprint_in,
    store_option,
    target_of,
)
from stacktui.cli.options import config_option, format_option
from stacktui.cli.output import err, out, plural
from stacktui.cli.settings import read_settings
from stacktui.config.locations import exported_bundle
from stacktui.text.sanitize import visible
from stacktui.text.shell import bash, command_line, for_this_machine


@click.command()
@click.argument("which", metavar="FILE|SHA256...", nargs=-1, required=True)
@store_option
@environment_option
@yes_option
@format_option
@config_option
@click.pass_obj
def command(
    parent: Path | None,
    which: tuple[str, ...],
    store: Path | None,
    environment: str | None,
    yes: bool,
    format_: str,
    config: Path | None,
) -> None:
    """Take back the roots in FILE, or the one with this SHA-256, that stacktui added.

    They are taken out of stacktui's own bundle, unless --environment or --store names another
    place, and the file is again as it was, byte for byte. What others put there stays.
    """
    settings = read_settings(parent, config) if environment else None
    destination = target_of(settings, store, environment, to_add=False)
    wanted = _fingerprints(which)
    lost = _lost(destination, wanted)
    change = _plan(destination, wanted - {each.sha256 for each in lost}, lost)
    if change is not None and not destination.ours:
        confirm(f"Take {plural(len(change.removed))} out of {visible(str(change.path))}?", yes=yes)
    trouble = remove(destination, change).trouble if change is not None else ""
    if lost:
        trouble = forget(destination.path, [each.sha256 for each in lost]) or trouble
    # What was taken out of one program's bundle may well be meant to stay in the others'.
    exported = exports_with(change.removed) if change is not None and store is None else ()
    if format_ == "json":
        click.echo(json.dumps(_document(destination, change, lost, exported)))
    else:
        _write(destination, change, lost)
    for path in exported:
        again = command_line("stacktui certificates export", _unless_usual(path))
        err(f"! {path}, which was exported before, still holds it: {for_this_machine(again)}")
    if trouble:
        err(f"! {trouble}")


def _unless_usual(path: Path) -> tuple[str, ...]:
    return () if path == exported_bundle() else (str(path),)


def _fingerprints(which: Collection[str]) -> set[str]:
    found = set()
    for each in which:
        fingerprint = fingerprint_in(each)
        if fingerprint is not None:
            found.add(fingerprint)
        else:
            found |= {sha256(der).hexdigest() for der in read_certificates(Path(each))}
    return found


def _lost(destination: TrustTarget, wanted: Collection[str]) -> tuple[Addition, ...]:
    """What was added to this bundle and is no longer in it: only to be forgotten."""
    added = remembered_of(destination.path, read_additions().additions)
    asked = tuple(each for each in added if each.sha256 in wanted)
    if not asked:
        return ()
    try:
        there = {each.der for each in entries(read_content(destination.path))}
    except CertificateFileError as error:
        if error.problem is not FileProblem.MISSING:
            raise
        there = set()
    return tuple(each for each in asked if each.der not in there)


def _plan(
    destination: TrustTarget, wanted: Collection[str], lost: Collection[Addition]
) -> Change | None:
    if lost and not wanted:
        return None
    try:
        return plan_removal(destination.path, wanted, ours=destination.ours)
    except CertificateError as error:
        if lost:
            return None
        if elsewhere := _elsewhere(destination, wanted):
            raise BundleError(f"{error}; {elsewhere}") from None
        missing = isinstance(error, CertificateFileError) and error.problem is FileProblem.MISSING
        if destination.ours and missing:
            raise BundleError(f"{error}, so nothing is trusted there") from None
        raise


def _elsewhere(destination: TrustTarget, wanted: Collection[str]) -> str:
    """Where it was added, if not here."""
    for each in read_additions().additions:
        if each.sha256 in wanted and each.path != destination.path:
            return f"it was added elsewhere: --store {bash(str(each.path))}"
    return ""


def _write(destination: TrustTarget, change: Change | None, lost: Collection[Addition]) -> None:
    path = visible(str(destination.path))
    if change is not None:
        what = "the file is gone with it" if change.after is None else "the rest is as it was"
        out(f"Took {plural(len(change.removed))} out of {path}; {what}")
        if change.after is None and destination.environments:
            out(f"Took ca out of {visible(', '.join(destination.environments))}")
        for der in change.present:
            err(
                f"! {describe(der).common_name} is there in another form too, not added by stacktui"
            )
    for each in lost:
        out(f"Forgotten: {each.subject} was no longer in {path}")


def _document(
    destination: TrustTarget,
    change: Change | None,
    lost: Collection[Addition],
    exported: Collection[Path],
) -> dict[str, Any]:
    from stacktui.certificates.document import SCHEMA, certificate_document

    now = datetime.now(UTC)
    removed = change.removed if change is not None else ()
    present = change.present if change is not None else ()
    gone = change is not None and change.after is None
    return {
        "schema": SCHEMA,
        "path": str(destination.path),
        "environments": list(destination.environments),
        "removed": [certificate_document(describe(der), now) for der in removed],
        "present": [certificate_document(describe(der), now) for der in present],
        "forgotten": [{"sha256": each.sha256, "subject": each.subject} for each in lost],
        "file_removed": gone,
        "still_exported": [str(each) for each in exported],
    }
