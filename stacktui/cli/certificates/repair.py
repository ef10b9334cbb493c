"""`stacktui certificates repair`: write a file of certificates as it was meant."""

from __future__ import annotations

import json
from pathlib import Path

import click

from stacktui.certificates.document import SCHEMA
from stacktui.certificates.file_repair import WORDS, FileRepair
from stacktui.certificates.repair_file import RepairPlan, carry_out_repair, plan_repair
from stacktui.cli.ask import CommandError, confirm, yes_option
from stacktui.cli.layout import out_wrapped
from stacktui.cli.options import (
    ConfigSource,
    examples,
    format_option,
    reads_config,
    warn_config_unused,
)
from stacktui.cli.output import out
from stacktui.cli.settings import require_writable
from stacktui.text.counts import count_of

# At most so many defects are listed; the JSON has all.
_SHOWN = 8


@click.command(
    epilog=examples(
        "stacktui certificates repair ca.pem", "stacktui certificates repair root.p7b root.pem"
    )
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("target", metavar="[OUT]", required=False, type=click.Path(path_type=Path))
@yes_option
@format_option
@reads_config
def command(config: ConfigSource, file: Path, target: Path | None, yes: bool, format_: str) -> None:
    """Write the certificates in FILE as PEM that every program reads.

    Puts right what tools do to such files: blocks that run together, UTF-16, .p7b (PKCS #7), DER,
    bare base64, certutil -encode of a PEM, other dashes, a missing BEGIN or END line, and a private
    key whose certificate does not come first. The rest of the file stays. It is replaced, after a
    backup beside it, or OUT is written instead. Exits with 2 if a certificate in it is lost.
    """
    require_writable(config)
    warn_config_unused(config.given)
    if target is not None and target.exists() and file.exists() and target.samefile(file):
        target = None
    plan = plan_repair(file)
    if plan.repair is None:
        _report(plan, None, None, format_)
        return
    if format_ == "text":
        _introduce(plan.repair)
    if target is None:
        confirm(f"Replace {file!s}? Its backup will be {plan.backup!s}.", yes=yes)
    else:
        if target.exists():
            raise CommandError(f"{target!s} exists; nothing was written")
        if not target.parent.is_dir():
            raise CommandError(f"{target!s} cannot be written: its folder is not there")
    _report(plan, target, carry_out_repair(plan, target), format_)


def _introduce(repair: FileRepair) -> None:
    for each in repair.defects[:_SHOWN]:
        out_wrapped(f"! {each}", 2)
    more = len(repair.defects) - _SHOWN
    if more > 0:
        out(f"! and {count_of(more, 'line')} more")


def _report(plan: RepairPlan, target: Path | None, backup: Path | None, format_: str) -> None:
    defects = plan.repair.defects if plan.repair else ()
    written = (target or plan.path) if plan.repair else None
    if format_ == "json":
        document = {
            "schema": SCHEMA,
            "path": str(plan.path),
            "defects": [
                {"line": each.line, "kind": each.kind.value, "text": WORDS[each.kind]}
                for each in defects
            ],
            "written": str(written) if written else None,
            "backup": str(backup) if backup else None,
        }
        click.echo(json.dumps(document))
    elif written is None:
        out_wrapped(f"✓ {plan.path!s} is in order: every program reads it", 2)
    else:
        out_wrapped(f"✓ {written!s} written as PEM", 2)
        if backup is not None:
            out_wrapped(f"  before: {backup!s}", 2)
