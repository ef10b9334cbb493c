"""`stacktui identities revoke`: take a role back."""

from __future__ import annotations

import json

import click

from stacktui.cli.arm_lists import write
from stacktui.cli.ask import confirm, yes_option
from stacktui.cli.identities.scope import SCHEMA, RoleRequest, RoleSession, at_scope
from stacktui.cli.layout import out_fitting
from stacktui.cli.name_completion import identity_names
from stacktui.cli.options import ExitCode, examples
from stacktui.cli.output import warn
from stacktui.cli.settings import require_writable
from stacktui.resources.listing import collect
from stacktui.resources.model import RoleAssignment
from stacktui.resources.role_paths import Reach, parse_assignment_id, reach, scope_words
from stacktui.resources.roles import has_assignment, pages_of_principal, revoke


@click.command(
    epilog=examples(
        "stacktui identities revoke ops --role Reader --identity owner",
        "stacktui identities revoke OBJECT-ID --role Reader --yes",
    )
)
@click.argument("principal", metavar="PRINCIPAL|ASSIGNMENT", shell_complete=identity_names)
@click.option("--role", metavar="NAME|ID", help="The role of PRINCIPAL that is taken back.")
@at_scope
@yes_option
def command(request: RoleRequest, principal: str, role: str | None, yes: bool) -> None:
    """Take a role of PRINCIPAL at a scope back, or the ASSIGNMENT with this id.

    PRINCIPAL is as for grant, ASSIGNMENT the id that `identities roles --format json` shows. A role
    that is inherited, or of a group, is not taken back here: it is said where it is. Where there is
    none, nothing is changed, and the exit code is 0.
    """
    require_writable(request.request.source)
    assignment = parse_assignment_id(principal)
    if (role is None) is (assignment is None):
        raise click.UsageError("name a PRINCIPAL with its --role, or an ASSIGNMENT without one")
    if assignment is not None and (request.scope is not None or request.group is not None):
        raise click.UsageError("the id of an ASSIGNMENT has its scope: leave out --scope, --group")

    async def take(session: RoleSession) -> int:
        names: list[str]
        if assignment is not None:
            scope, name = assignment
            what = f"the role assignment {name} on {scope_words(scope)}"
            names = [name] if await has_assignment(session.arm.client, scope, name) else []
        else:
            scope = session.scope
            what, names = await _held(session, principal, role or "")
        changed = 0
        if names:
            confirm(f"{session.arm.environment}: revoke {what}?", yes=yes)
            for name in names:
                changed += await revoke(session.arm.client, scope, name)
        if request.as_json:
            document = {
                "schema": SCHEMA,
                "environment": session.arm.environment,
                "scope": scope or "/",
                "assignments": names,
                "changed": bool(changed),
            }
            write(json.dumps(document))
        else:
            done = f"✓ revoked {what}" if changed else f"– nothing was there to revoke: {what}"
            out_fitting(done)
        return ExitCode.HEALTHY

    request.run(take)


async def _held(session: RoleSession, principal: str, role: str) -> tuple[str, list[str]]:
    """Return in words what is revoked, and the names of the assignments that say so.

    The same role elsewhere, which stays, is said on stderr.
    """
    found, who = await session.role(role), await session.principal(principal)
    pages = pages_of_principal(session.arm.client, session.scope, who.object_id)
    listed = await collect(pages)
    if listed.error:
        raise listed.error
    names = []
    for each in listed.rows:
        if each.role != found.id or each.principal.casefold() != who.object_id.casefold():
            continue
        where = reach(each, session.scope)
        if where is Reach.DIRECT:
            names.append(_name(each))
        else:
            warn(f"{found.name} on {scope_words(each.scope)} ({where}) stays; its id: {each.id}")
    return f"{found.name} of {who} on {scope_words(session.scope)}", names


def _name(assignment: RoleAssignment) -> str:
    return assignment.id.rpartition("/")[2]
