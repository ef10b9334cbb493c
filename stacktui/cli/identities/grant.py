"""`stacktui identities grant`: give a role, which `az` cannot do on a stamp."""

from __future__ import annotations

import json

import click

from stacktui.cli.arm_lists import write
from stacktui.cli.ask import confirm, yes_option
from stacktui.cli.identities.scope import SCHEMA, RoleRequest, RoleSession, at_scope
from stacktui.cli.layout import out_fitting
from stacktui.cli.name_completion import identity_names
from stacktui.cli.options import ExitCode, examples
from stacktui.cli.settings import require_writable
from stacktui.resources.role_paths import scope_words
from stacktui.resources.roles import Granted, find_assignment, grant


@click.command(
    epilog=examples(
        "stacktui identities grant ops --role Reader --identity owner",
        "stacktui identities grant OBJECT-ID --role Contributor --group DevTest --yes",
    )
)
@click.argument("principal", metavar="PRINCIPAL", shell_complete=identity_names)
@click.option(
    "--role", metavar="NAME|ID", required=True, help="Reader, Contributor, Owner, or another one."
)
@at_scope
@yes_option
def command(request: RoleRequest, principal: str, role: str, yes: bool) -> None:
    """Give PRINCIPAL a role at a scope, as an identity that owns it.

    PRINCIPAL is an object id, or the name of an identity of the config, which signs in for that.
    Who has the role already keeps it: then nothing is changed, and the exit code is 0. A principal
    that was just made may not be known yet: that is waited for, two minutes at most.
    """
    require_writable(request.request.source)

    async def give(session: RoleSession) -> int:
        client, where = session.arm.client, session.scope
        found, who = await session.role(role), await session.principal(principal)
        words = f"{found.name} on {scope_words(where)}"
        held = await find_assignment(client, where, found, who)
        if held is not None:
            granted = Granted(held, changed=False)
        else:
            confirm(f"{session.arm.environment}: grant {who} {words}?", yes=yes)
            granted = await grant(client, where, found, who)
        if request.as_json:
            document = {
                "schema": SCHEMA,
                "environment": session.arm.environment,
                "principal": who.object_id,
                "role": {"id": found.id, "name": found.name},
                "scope": where or "/",
                "assignment": granted.id or None,
                "changed": granted.changed,
            }
            write(json.dumps(document))
        else:
            out_fitting(f"✓ {who} {'now has' if granted.changed else 'already had'} {words}")
        return ExitCode.HEALTHY

    request.run(give)
