"""`stacktui identities import`: the service principals that `az` is signed in with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from stacktui.azure_cli.service_principals import entries_file, read_service_principals
from stacktui.cli.ask import CommandError, ask_text, confirm, yes_option
from stacktui.cli.options import ConfigSource, examples, format_option, reads_config
from stacktui.cli.output import err
from stacktui.cli.settings import absolute, require_writable
from stacktui.config.locations import config_file
from stacktui.exchange.identity_import import (
    FoundIdentity,
    IdentityPlan,
    SecretPlace,
    find_identities,
    name_problem,
    plan_identities,
)
from stacktui.text.counts import count_of
from stacktui.text.shell import command_line, for_this_machine

SCHEMA = 1
_LEAVE_OUT = "-"
# What follows for the user from where the secret is.
_THEN = {
    SecretPlace.PROMPT: "each run asks for it; with --keep-secret it would be in a file of its own",
    SecretPlace.ENV: "set that variable where stacktui runs",
    SecretPlace.FILE: "the secret goes into that file, mode 0600",
    SecretPlace.KEYRING: "the secret goes into that entry",
}


@click.command(
    epilog=examples(
        "stacktui identities import",
        "stacktui identities import --name ops --keep-secret",
        "stacktui identities import service_principal_entries.json --secret env --yes",
    )
)
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--from",
    "client",
    type=click.Choice(["az"]),
    default="az",
    show_default=True,
    help="Whose form FILE has.",
)
@click.option("--name", metavar="NAME", help="The identity's name, where there is one to import.")
@click.option(
    "--secret",
    "place",
    type=click.Choice([each.value for each in SecretPlace if each is not SecretPlace.FILE]),
    help="What the config refers to in place of a secret: prompt (the default) asks for it in each "
    "run, env is a variable, and keyring gets it.",
)
@click.option(
    "--keep-secret",
    is_flag=True,
    help="Write each secret to a file of its own beside the config, mode 0600.",
)
@yes_option
@format_option
@reads_config
def command(
    source: ConfigSource,
    file: Path | None,
    client: str,
    name: str | None,
    place: str | None,
    keep_secret: bool,
    yes: bool,
    format_: str,
) -> None:
    """Add the service principals that az is signed in with; shows them, and asks.

    FILE is az's service_principal_entries.json, by default that of $AZURE_CONFIG_DIR or ~/.azure;
    before az 2.30 it was accessTokens.json. It is read, and never changed. No secret is written to
    the config: a reference is. Of a certificate it is the path, and what is wrong with that file is
    said.

    You are asked for the name of each; `-` leaves it out, and `--yes` takes what is proposed. One
    with the client id and the tenant of an identity of the config is left as it is.
    """
    if place is not None and keep_secret:
        raise click.UsageError("Choose one of --secret and --keep-secret.")
    require_writable(source)
    kept = SecretPlace.FILE if keep_secret else SecretPlace(place or SecretPlace.PROMPT)
    path, file = absolute(source.path), absolute(file or entries_file())
    found = find_identities(path, read_service_principals(file))
    err(f"{file}: {count_of(len(found), 'service principal')}")
    for each in found:
        if not each.is_new:
            err(f"  {_left(each)}")
    chosen = _named(found, name, yes=yes)
    plan = plan_identities(path, chosen, kept, str(file))
    plan.check()
    for called, identity in chosen.items():
        for line in _lines(called, identity, plan, kept):
            err(line)
    if chosen:
        confirm(f"Add {', '.join(chosen)} to {path}?", yes=yes)
        plan.carry_out()
        err(f"added: {', '.join(chosen)}; {file} is as it was")
        named = () if path == absolute(config_file()) else ("--config", str(path))
        test = command_line("stacktui identities test", (next(iter(chosen)), *named))
        err(f"to try it: {for_this_machine(test)}")
    elif any(each.is_new for each in found):
        raise CommandError("nothing was changed")
    if format_ == "json":
        names = {each.number: name for name, each in chosen.items()}
        identities = [_document(each, names.get(each.number), plan) for each in found]
        click.echo(json.dumps({"schema": SCHEMA, "file": str(file), "identities": identities}))


def _named(
    found: Sequence[FoundIdentity], name: str | None, *, yes: bool
) -> dict[str, FoundIdentity]:
    """Return those to import, by their names. Raises CommandError."""
    new = [each for each in found if each.is_new]
    if name is not None:
        if len(new) > 1:
            raise CommandError(f"--name is for one identity; here are {len(new)} to import")
        return {name: new[0]} if new else {}
    taken = {each.name for each in found if each.is_there}
    chosen: dict[str, FoundIdentity] = {}
    for each in new:
        given = each.name
        if not yes:
            entry = each.entry
            question = f"Name for {entry.client_id} of {entry.tenant} ({_LEAVE_OUT} leaves it out)"
            given = ask_text(question, default=each.name)
        if given == _LEAVE_OUT:
            continue
        if problem := name_problem(given, {*taken, *chosen}):
            raise CommandError(f"{given}: {problem}; nothing was changed")
        chosen[given] = each
    return chosen


def _left(each: FoundIdentity) -> str:
    if each.is_there:
        return f"{each.name}: is there already, with this client id and tenant"
    entry = each.entry
    which = f"entry {each.number} {entry.client_id}".rstrip()
    return f"{which}: cannot be imported: {entry.problem}"


def _lines(
    name: str, found: FoundIdentity, plan: IdentityPlan, place: SecretPlace
) -> Iterator[str]:
    entry = found.entry
    yield f"  {name}: new"
    yield f"    tenant       {entry.tenant}"
    yield f"    client_id    {entry.client_id}"
    reference = plan.reference(name)
    if found.file is None:
        yield f"    secret       {reference}: {_THEN[place]}"
    else:
        yield f"    certificate  {found.file.path}"
        for text in (found.file.problem, found.file.remedy):
            if text:
                yield f"    ! {text}"


def _document(found: FoundIdentity, name: str | None, plan: IdentityPlan) -> dict[str, Any]:
    state = "unusable" if found.entry.problem else "same" if found.is_there else "left-out"
    file = found.file
    return {
        "name": name or found.name or None,
        "state": "added" if name else state,
        "tenant": found.entry.tenant or None,
        "client_id": found.entry.client_id or None,
        "credential": str(plan.reference(name)) if name else None,
        "problem": found.entry.problem or (file.problem if file else "") or None,
    }
