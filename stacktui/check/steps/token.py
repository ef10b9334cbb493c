"""The step that signs in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from stacktui.check.step import Skip, Step, StepContext
from stacktui.check.step_names import StepName
from stacktui.environments.metadata import Metadata
from stacktui.identities.model import IdentityKind
from stacktui.identities.sign_in import acquire_token
from stacktui.identities.token import Token, TokenFacts
from stacktui.text.sanitize import Redactor

if TYPE_CHECKING:
    from stacktui.identities.model import Identity

_NEEDS_PERSON = "signing in with a device code needs a person: check this environment alone"


def _skip(context: StepContext) -> Skip | None:
    identity = context.target.identity
    if identity is None:
        return Skip("no identity is configured for this environment")
    if identity.kind is IdentityKind.DEVICE_CODE and not context.attended:
        return Skip(_NEEDS_PERSON, inconclusive=True)
    return None


async def _run(context: StepContext) -> Token:
    metadata = context.result(Metadata)
    identity = cast("Identity", context.target.identity)  # else `_skip` has a reason
    named = urlsplit(metadata.login_endpoint).netloc.rpartition("@")[2]
    prompt = partial(context.prompt, context.redactor.sanitize(named, 200))
    credential = await context.credential.read()
    return await acquire_token(context.session, metadata, identity, credential, prompt)


def _facts(token: Token, _redactor: Redactor) -> TokenFacts:
    return token.facts


TOKEN = Step(StepName.TOKEN, _run, needs=(StepName.METADATA,), skip=_skip, facts=_facts)
