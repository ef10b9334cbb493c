"""The step that signs in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from stacktui.check.report import Fault
from stacktui.check.step import Skip, Step, StepContext
from stacktui.check.step_names import StepName
from stacktui.check.target import CheckTarget
from stacktui.environments.metadata import Metadata
from stacktui.identities.device_code import needs_person
from stacktui.identities.faults import IdentityError
from stacktui.identities.model import IdentityKind
from stacktui.identities.sign_in import acquire_token
from stacktui.identities.token import Token, TokenFacts
from stacktui.identities.token_source import SignIn
from stacktui.text.sanitize import Redactor

if TYPE_CHECKING:
    from stacktui.identities.model import Identity

_ENDED = "the sign-in of before has ended, and a device code needs a person: check this one alone"
_REFUSED = "what was typed was refused at {}, and is not sent again: it could lock the account"
_NEEDS_PERSON = "signing in with a device code needs a person: check this environment alone"


def _skip(context: StepContext) -> Skip | None:
    identity = context.target.identity
    if identity is None:
        return Skip("no identity is configured for this environment")
    if not context.attended and (refused := context.tokens.refused(identity)):
        return Skip(_REFUSED.format(refused.wanted.environment.name), inconclusive=True)
    if identity.kind is not IdentityKind.DEVICE_CODE or context.attended:
        return None
    if context.tokens.refresh_token(_sign_in(context.target)):
        return None
    return Skip(_NEEDS_PERSON, inconclusive=True)


def _sign_in(target: CheckTarget) -> SignIn:
    identity = cast("Identity", target.identity)  # else `_skip` has a reason
    return SignIn(target.environment, identity, target.config)


async def _run(context: StepContext) -> Token | Skip:
    """Ask for a new token, though a kept one may be valid: signing in is what is checked.

    Nobody is there for a device code in a round, where the sign-in of before has ended.
    """
    metadata, wanted = context.result(Metadata), _sign_in(context.target)
    named = urlsplit(metadata.login_endpoint).netloc.rpartition("@")[2]
    prompt = partial(context.prompt, context.redactor.sanitize(named, 200))
    credential = await context.credential.read()
    try:
        token = await acquire_token(
            context.session,
            metadata,
            wanted.identity,
            credential,
            prompt if context.attended else None,
            context.tokens.refresh_token(wanted),
            arm=wanted.environment.arm,
        )
    except IdentityError as error:
        if not needs_person(error):
            raise
        return Skip(_ENDED, inconclusive=True)
    context.tokens.keep(wanted, token)
    return token


def _facts(token: Token, _redactor: Redactor) -> TokenFacts:
    return token.facts


def _failed(context: StepContext, fault: Fault) -> None:
    context.tokens.failed(_sign_in(context.target), fault)


TOKEN = Step(
    StepName.TOKEN, _run, needs=(StepName.METADATA,), skip=_skip, facts=_facts, failed=_failed
)
