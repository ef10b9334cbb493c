"""`stacktui environments import`: an environment from another client's form."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import click

from stacktui.cli.ask import CommandError, confirm, yes_option
from stacktui.cli.options import config_option, examples
from stacktui.cli.output import err
from stacktui.cli.settings import absolute, require_writable
from stacktui.config.bounded_read import FileReadError, read_bounded
from stacktui.config.document import ConfigError
from stacktui.config.locations import config_file
from stacktui.exchange.importing import ImportPlan, plan_import, write_secret
from stacktui.exchange.reading import MAX_SIZE, Reading, UnknownFormError, read_text
from stacktui.text.shell import command_line, for_this_machine
from stacktui.transport.proxy import without_credentials

_STDIN = "-"


@click.command(
    epilog=examples(
        "stacktui environments import west.sh --name West",
        "ssh jump cat west.sh | stacktui environments import - --yes",
    )
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--name", metavar="NAME", help="The environment's name (default: that of the form).")
@click.option(
    "--keep-secret",
    is_flag=True,
    help="Write a secret that FILE holds to a file of its own beside the config, mode 0600.",
)
@yes_option
@config_option
@click.pass_obj
def command(
    parent: Path | None,
    file: Path,
    name: str | None,
    keep_secret: bool,
    yes: bool,
    config: Path | None,
) -> None:
    """Add the environments in FILE (`-`: standard input), with their identities.

    FILE has variables of bash, PowerShell or cmd for the SDKs or Terraform, az commands,
    Add-AzEnvironment, or tables of a config: what `environments export` prints, and what was
    written by hand. It is read, never executed, and not changed. Shows what it found and where, and
    asks before it writes. A secret in it is not written to the config: a reference to the variable
    is, or with --keep-secret one to a file.
    """
    require_writable(parent, config)
    path = absolute(config_file(config or parent))
    text, folder = _text(file)
    try:
        found = read_text(text, folder)
    except UnknownFormError as error:
        raise CommandError(f"{file}: {error}") from None
    if name is not None and len(found) != 1:
        raise CommandError(f"--name is for one environment; {file} has {len(found)}")
    for reading in found:
        _import(path, reading, name, keep=keep_secret, yes=yes)


def _text(file: Path) -> tuple[str, Path]:
    """Return the content of the file, and the folder that its relative paths are below."""
    if str(file) == _STDIN:
        content = sys.stdin.buffer.read(MAX_SIZE + 1) if sys.stdin is not None else b""
        if len(content) > MAX_SIZE:
            raise CommandError(f"standard input: over {MAX_SIZE:,} bytes")
        return _decoded(content), Path.cwd()
    try:
        return _decoded(read_bounded(file, MAX_SIZE)), absolute(file).parent
    except FileReadError as error:
        raise CommandError(f"{file}: {error.detail}") from None


def _decoded(content: bytes) -> str:
    """Return a text in UTF-8, or in what Windows PowerShell redirects to (UTF-16)."""
    utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content.decode("utf-16" if utf_16 else "utf-8-sig", "replace")


def _import(path: Path, reading: Reading, name: str | None, *, keep: bool, yes: bool) -> None:
    plan = plan_import(path, reading, name)
    plan.check()
    err(f"{plan.name}  (read as {reading.form})")
    for line in _lines(plan, reading):
        err(f"  {line}")
    if plan.is_there:
        err(f"{plan.name} is there already, with these values; nothing to do")
        return
    if plan.before is None:
        question = f"Add {plan.name} to {path}?"
    else:
        err(f"{plan.name} is there already. It would change:")
        for key, before, now in plan.changes:
            err(f"  {key}: {_shown(key, before)} -> {_shown(key, now)}")
        question = f"Change {plan.name} so?"
    confirm(question, yes=yes)
    if reading.secret and keep and plan.identity is not None:
        plan = _with_file(plan, reading.secret)
    plan.carry_out()
    named = () if path == absolute(config_file()) else ("--config", str(path))
    check = for_this_machine(command_line("stacktui check", (plan.name, *named)))
    err(f"{plan.name}: written; check it with: {check}")


def _lines(plan: ImportPlan, reading: Reading) -> Iterator[str]:
    def told(values: Mapping[str, object]) -> Iterator[str]:
        for key, value in values.items():
            origin = reading.origins.get(key)
            yield f"{key:<13} {_shown(key, value)}" + (f"  ({origin})" if origin else "")

    yield from told(plan.values)
    if plan.identity is not None:
        yield f"and the identity {plan.values['identity']}:"
        yield from (f"  {line}" for line in told(plan.identity))
    elif "identity" in plan.values:
        yield f"the identity {plan.values['identity']} is in the config, with the same values"
    if reading.secret:
        yield "! the secret itself is in there. The config gets a reference in its place: set that"
        yield "  variable where stacktui runs, or have a file of its own with --keep-secret"


def _shown(key: str, value: object) -> str:
    match value:
        case None:
            return "none"
        case str() if key == "proxy":
            return without_credentials(value)
        case {"env": name}:
            return f"the variable {name}"
        case {"file": path}:
            return f"the file {path}"
        case Mapping():
            return ", ".join(f"{inner} = {each}" for inner, each in value.items())
    return str(value)


def _with_file(plan: ImportPlan, secret: str) -> ImportPlan:
    """Write the secret to a file, and return the plan whose identity names that."""
    try:
        file = write_secret(plan.path, str(plan.values["identity"]), secret)
    except OSError as error:
        raise ConfigError(plan.path, f"no file for the secret ({error.strerror})") from None
    err(f"  wrote the secret to {file}")
    key = "password" if "password" in (plan.identity or {}) else "secret"
    return replace(plan, identity={**(plan.identity or {}), key: {"file": str(file)}})
