"""`stacktui identities list`: every identity of the config, and where its secret is."""

from __future__ import annotations

import json

import click

from stacktui.check.settings import load_settings
from stacktui.cli.identities.description import DescribedIdentity, described
from stacktui.cli.options import ConfigSource, examples, format_option, reads_config
from stacktui.cli.output import err, warn
from stacktui.cli.rows import out_rows
from stacktui.cli.settings import absolute
from stacktui.text.sanitize import escape_control_chars

SCHEMA = 1
_HEAD = ("name", "kind", "used by", "credential", "certificate", "tenant")


@click.command(
    epilog=examples("stacktui identities list", "stacktui identities list --format json")
)
@format_option
@reads_config
def command(source: ConfigSource, format_: str) -> None:
    """List the identities of the config; `*` marks the one of the active environment.

    Shows the kind, the environments that use it, where its secret is kept, the days that are left
    of its certificate, and the tenant. One that cannot be used is listed with the reason.
    """
    settings = load_settings(absolute(source.path))
    for warning in settings.warnings:
        warn(warning)
    found = list(described(settings, (*settings.identities, *settings.identity_errors)))
    found.sort(key=lambda each: not each.in_use)
    if format_ == "json":
        documents = [each.document() for each in found]
        click.echo(json.dumps({"schema": SCHEMA, "identities": documents}))
    elif found:
        whys = (each.error.message if each.error else "" for each in found)
        out_rows(_HEAD, [_cells(each) for each in found], whys)
    else:
        err(f"{settings.path} has no identities; add one: stacktui identities add --help")


def _cells(each: DescribedIdentity) -> tuple[str, ...]:
    """Return the texts of the columns; of one that cannot be used only the first two."""
    name = f"{'*' if each.in_use else ' '} {escape_control_chars(each.name)}"
    if each.identity is None:
        return name, "✗ unusable"
    known = each.identity
    users = ", ".join(map(escape_control_chars, each.environments))
    credential, tenant = str(known.credential or ""), escape_control_chars(known.tenant or "")
    return name, known.kind.words, users, credential, each.certificate_state, tenant
