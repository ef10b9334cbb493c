"""`stacktui identities show`: one identity, whom it is for, and where its secret is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from stacktui.cli.identities.description import DescribedIdentity, described
from stacktui.cli.layout import out_fitting
from stacktui.cli.name_completion import identity_names
from stacktui.cli.options import ConfigSource, examples, format_option, reads_config
from stacktui.cli.output import out
from stacktui.cli.settings import read_settings
from stacktui.identities.config import KEYS_OF
from stacktui.text.sanitize import escape_control_chars

SCHEMA = 1
_WIDTH = 12


@click.command(epilog=examples("stacktui identities show ops"))
@click.argument("name", metavar="NAME", shell_complete=identity_names)
@format_option
@reads_config
def command(source: ConfigSource, name: str, format_: str) -> None:
    """Show the identity NAME: its kind and account, the environments that use it, and where its
    secret is; of a certificate the days that are left, and the thumbprint; where it came from."""
    settings = read_settings(source)
    settings.identity(name)  # raises where it cannot be used
    (found,) = described(settings, (name,))
    if format_ == "json":
        click.echo(json.dumps({"schema": SCHEMA, **found.document()}))
        return
    out(found.name)
    for label, value in _fields(found):
        out_fitting(f"  {label:<{_WIDTH}} {escape_control_chars(value)}", _WIDTH + 3)


def _fields(found: DescribedIdentity) -> Iterator[tuple[str, str]]:
    identity, file = found.identity, found.file
    if identity is None:
        raise AssertionError("one that cannot be used was refused before")
    yield "kind", identity.kind.words
    yield "used by", ", ".join(found.environments) or "no environment"
    for key in KEYS_OF[identity.kind]:
        # `secret` is the password of a certificate's file too: `password` below.
        if key != "secret" and (value := getattr(identity, key, None)):
            yield key, str(value)
    yield "account", identity.principal or "known once it has signed in"
    if identity.credential is not None:
        yield "credential", str(identity.credential)
    if identity.secret is not None and identity.secret is not identity.credential:
        yield "password", str(identity.secret)
    if found.origin is not None:
        yield "came from", found.origin.words
    if file is not None:
        yield "certificate", found.certificate_state
        if file.problem:
            yield "", "; ".join(filter(None, (file.problem, file.remedy)))
        if file.chain:
            yield "thumbprint", file.chain[0].sha1.replace(":", "")
