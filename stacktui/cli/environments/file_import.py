"""Importing the environments in a file of another client's form: show them, ask, write."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from stacktui.cli.ask import CommandError, ask, confirm
from stacktui.cli.output import err
from stacktui.cli.settings import absolute
from stacktui.config.bounded_read import FileReadError, read_bounded
from stacktui.config.document import ConfigError
from stacktui.config.locations import config_file
from stacktui.exchange.forms import Form
from stacktui.exchange.importing import (
    ImportPlan,
    foreign_source,
    missing_files,
    plan_import,
    with_secret_file,
    write_secret,
)
from stacktui.exchange.reading import (
    MAX_SIZE,
    Reading,
    UnknownFormError,
    read_text,
    read_values,
)
from stacktui.exchange.sdk_values import of_process
from stacktui.text.shell import command_line, for_this_machine
from stacktui.transport.proxy import without_credentials

_STDIN = "-"


def import_from_file(
    config: Path, file: Path, name: str | None, *, keep_secret: bool, yes: bool
) -> None:
    """Add each environment in the file (`-`: standard input) with its identity, as `_add` does."""
    text, folder = _text(file)
    try:
        found = read_text(text, folder)
    except UnknownFormError as error:
        raise CommandError(f"{file}: {error}") from None
    if name is not None and len(found) != 1:
        raise CommandError(f"--name is for one environment; {file} has {len(found)}")
    is_stdin = str(file) == _STDIN
    beside = Path(os.devnull) if is_stdin else folder  # where no file is
    taken_from = "standard input" if is_stdin else str(absolute(file))
    _add(config, found, name, beside, taken_from, keep_secret=keep_secret, yes=yes)


def import_from_variables(config: Path, name: str | None, *, yes: bool) -> None:
    """Add the environment that the variables of this process name, as `_add` does."""
    if not os.environ.get("ARM_ENDPOINT") and not os.environ.get("ARM_METADATA_HOST"):
        raise CommandError("no stamp is named: neither ARM_ENDPOINT nor ARM_METADATA_HOST is set")
    try:
        found = read_values(of_process(os.environ), Path.cwd())
    except UnknownFormError as error:
        raise CommandError(f"the variables of this process: {error}") from None
    _add(config, (found,), name, None, "the variables of a process", keep_secret=False, yes=yes)


def _add(
    config: Path,
    found: Sequence[Reading],
    name: str | None,
    folder: Path | None,
    taken_from: str,
    *,
    keep_secret: bool,
    yes: bool,
) -> None:
    """Show each environment, ask, and write those that are wanted.

    `yes` is no answer where an environment of the same name would change, nor where a samples' file
    names a secret that may not be its own (see `foreign_source`); of such a secret in another text,
    which is in `folder`, the plan warns. Raises ConfigError, and CommandError also where the user
    says no.
    """
    chosen: list[tuple[ImportPlan, Reading]] = []  # nothing is written before the last answer
    for reading in found:
        earlier = [each for each, _ in chosen]
        plan = plan_import(config, reading, name, earlier, taken_from)
        if keep_secret and reading.secret and plan.identity is not None:
            plan = with_secret_file(plan, earlier)
        plan.check()
        source = foreign_source(plan, reading, folder)
        if not _wants(plan, reading, source, yes=yes):
            continue
        # The samples' files hold the secret itself: a reference in one is stacktui's own notation,
        # which whoever wrote the file may have used to name any secret of this machine.
        if yes and source and reading.form is Form.SDK_JSON and not _has_certificate(plan, reading):
            why = f"{plan.name} would sign in with {source}, which the text names"
            how = "import it from a file without --yes, and answer"
            raise CommandError(f"{why}; {how}; nothing was changed")
        chosen.append((plan, reading))
    if new := [plan.name for plan, _ in chosen if plan.before is None]:
        confirm(f"Add {', '.join(new)} to {config}?", yes=yes)
    for plan, reading in chosen:
        _write(plan, reading.secret)


def _has_certificate(plan: ImportPlan, reading: Reading) -> bool:
    return "certificate" in (plan.identity or reading.identity or {})


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


def _wants(plan: ImportPlan, reading: Reading, source: str, *, yes: bool) -> bool:
    """Show the plan, and return whether to carry it out, after asking where it changes what is
    there."""
    err(f"{plan.name}  (read as {reading.form})")
    for line in _lines(plan, reading, source):
        err(f"  {line}")
    if plan.is_there:
        err(f"{plan.name} is there already, with these values; nothing to do")
        return False
    if plan.before is None:
        return True
    err(f"{plan.name} is there already. It would change:")
    for key, before, now in plan.changes:
        err(f"  {key}: {_shown(key, before)} -> {_shown(key, now)}")
    if yes or not ask(f"Change {plan.name} so?"):
        err(f"{plan.name}: left as it is")
        return False
    return True


def _write(plan: ImportPlan, secret: str) -> None:
    """Carry the plan out, with the file for the secret if it has one. Raises ConfigError."""
    if plan.secret_file is not None:
        _write_with_file(plan, plan.secret_file, secret)
    else:
        plan.carry_out()
    path = plan.path
    named = () if path == absolute(config_file()) else ("--config", str(path))
    check = for_this_machine(command_line("stacktui check", (plan.name, *named)))
    err(f"{plan.name}: written; check it with: {check}")


def _lines(plan: ImportPlan, reading: Reading, source: str) -> Iterator[str]:
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
    if reading.lacks:
        yield f"! without its identity: there is no [identities.{reading.lacks}] in the file"
    if source:
        yield f"! a check signs in with {source} at the login host that this stamp names"
    if plan.secret_file is not None:
        yield "! the secret itself is in there, and goes into that file, mode 0600"
    elif reading.secret:
        yield "! the secret itself is in there. The config gets a reference in its place: set that"
        yield "  variable where stacktui runs, or have a file of its own with --keep-secret"
    if reading.left_out:
        yield f"! without {reading.left_out}: stacktui takes a PEM file whose key has no password,"
        yield "  which stacktui certificates convert makes"
    if reading.unused_secret:
        yield f"! without {reading.unused_secret}: the certificate is there to sign in with"
    for file in missing_files(plan.path, reading):
        yield f"! {file} is no file of this machine"


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


def _write_with_file(plan: ImportPlan, file: Path, secret: str) -> None:
    """Write the secret to its file, and carry out the plan, whose identity names it."""
    try:
        write_secret(file, secret)
    except OSError as error:
        raise ConfigError(plan.path, f"no file for the secret ({error.strerror})") from None
    err(f"  wrote the secret to {file}")
    try:
        plan.carry_out()
    except ConfigError as error:
        raise ConfigError(plan.path, f"{error.message}; the secret stays in {file}") from None
