"""`stacktui identities roles`: who am I, what may I do here, and by which roles."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from stacktui.cli.arm import report_fault
from stacktui.cli.arm_lists import write
from stacktui.cli.identities.scope import SCHEMA, RoleRequest, RoleSession, at_scope
from stacktui.cli.layout import out_fitting
from stacktui.cli.options import ExitCode, examples
from stacktui.cli.output import err, warn
from stacktui.identities.token import TokenFacts
from stacktui.resources.model import is_forbidden
from stacktui.resources.permissions import allowed_words
from stacktui.resources.role_paths import READER, reach, scope_words
from stacktui.resources.roles import Access, access
from stacktui.text.shell import command_line, for_this_machine

_WIDTH = 11
_REFUSED = "not read, see below"


@click.command(
    epilog=examples(
        "stacktui identities roles -e West",
        "stacktui identities roles --identity ops --format json | jq .may",
    )
)
@at_scope
def command(request: RoleRequest) -> None:
    """Show who is signed in, what they may do at a scope, and by which roles.

    What they may do is read without any right. Their roles at the scope, above it and below it
    take the right to read role assignments: where that is refused, it is named on stderr, and the
    exit code is 1, as where the token does not say whose roles are to be looked for.
    """

    async def show(session: RoleSession) -> int:
        client = session.arm.client
        facts = await client.token_facts()
        found = await access(client, session.scope, facts.object_id or "")
        failed = [each.error for each in (found.permissions, found.assignments) if each.error]
        for error in failed:
            if (
                getattr(error.fault, "status", 0) == 404
            ):  # of a scope that is not there, permissions are no answer
                raise error
        if request.as_json:
            write(json.dumps(_document(session, facts, found)))
        else:
            for line in _lines(session, facts, found):
                out_fitting(line, _WIDTH + 2)
        if not facts.object_id:
            warn("the token names no object id (no claim oid), by which roles could be found")
        for error in failed:
            forbidden = is_forbidden(error)
            report_fault(error, session.arm.target, saved=not forbidden)
            if forbidden and facts.object_id:
                err(f"  who may grant a role can use: {_grant_line(session, facts.object_id)}")
        return ExitCode.FAULT if failed or not facts.object_id else ExitCode.HEALTHY

    request.run(show)


def _lines(session: RoleSession, facts: TokenFacts, found: Access) -> Iterator[str]:
    identity = session.arm.target.identity
    kind = f"{identity.name} · {identity.kind.words}" if identity else ""
    yield _labelled("identity", kind)
    yield _labelled("signed in", facts.subject or "the token does not say as whom")
    yield _labelled("object id", facts.object_id or "not in the token")
    if facts.tenant:
        yield _labelled("tenant", facts.tenant)
    yield _labelled("at", scope_words(session.scope))
    may = found.permissions
    words = _REFUSED if may.error else ", ".join(allowed_words(may.rows)) or "nothing"
    yield _labelled("you may", words)
    roles = [found.words(each) for each in found.assignments.rows]
    if found.assignments.error or not facts.object_id:
        roles.append(_REFUSED)
    for number, text in enumerate(roles or ["none"]):
        yield _labelled("" if number else "roles", text)


def _grant_line(session: RoleSession, object_id: str) -> str:
    """Return the command that gives the smallest role with which roles can be read."""
    where = ("--scope", session.scope or "/", "--environment", session.arm.environment)
    arguments = (object_id, "--role", READER.name, *where)
    return for_this_machine(command_line("stacktui identities grant", arguments))


def _labelled(label: str, value: str) -> str:
    return f"  {label:<{_WIDTH}}{value}"


def _document(session: RoleSession, facts: TokenFacts, found: Access) -> dict[str, object]:
    """Return the answer as JSON; null stands for what was refused."""
    identity, may = session.arm.target.identity, found.permissions
    assigned = [
        {
            "id": each.id,
            "role": {"id": each.role, "name": found.role_name(each)},
            "scope": each.scope,
            "reach": reach(each, session.scope),
            "group": found.group_of(each) or None,
        }
        for each in found.assignments.rows
    ]
    return {
        "schema": SCHEMA,
        "environment": session.arm.environment,
        "identity": identity.name if identity else None,
        "subject": facts.subject,
        "object_id": facts.object_id,
        "tenant": facts.tenant,
        "scope": session.scope or "/",
        "may": None if may.error else allowed_words(may.rows),
        "permissions": None if may.error else may.raw,
        "assignments": None if found.assignments.error or not facts.object_id else assigned,
    }
