"""Who may be given a role: an object id, or an identity of the config."""

from __future__ import annotations

from stacktui.errors import StacktuiError
from stacktui.identities.device_code import Prompt
from stacktui.identities.model import Identity
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.connection import open_arm
from stacktui.resources.model import Principal


class PrincipalError(StacktuiError):
    """An identity's object id cannot be found out; `str()` says what to give instead."""


async def principal_of(wanted: SignIn, tokens: TokenSource, prompt: Prompt) -> Principal:
    """Return the principal of an identity: its object id is in the config, or in its own token.

    Raises PrincipalError where neither has one, and what signing in raises.
    """
    identity = wanted.identity
    object_id: str | None = identity.object_id
    if not object_id:
        async with open_arm(wanted, tokens, prompt=prompt) as client:
            object_id = (await client.token_facts()).object_id
    if not object_id:
        raise PrincipalError(
            f"the token of {identity.name} names no object id (no claim oid); give the object id "
            "itself, as its directory lists it"
        )
    return principal_with(identity, object_id)


def principal_with(identity: Identity, object_id: str) -> Principal:
    """Return the principal of an identity whose object id is known."""
    return Principal(object_id, identity.is_application, identity.name)
