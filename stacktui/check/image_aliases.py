"""The use case "VM image aliases": the document that an environment names, fetched and read."""

from __future__ import annotations

import asyncio

from stacktui.check.session import open_session
from stacktui.check.target import CheckTarget
from stacktui.environments.alias_document import AliasDocument, parse_aliases
from stacktui.errors import FaultError, StacktuiError

# PROTOCOL.md section 7.
_AZ_USES_ITS_OWN = "az then uses the list that it has built in, which names images of public Azure"


class AliasFetchError(StacktuiError):
    """The document of VM image aliases cannot be fetched; says what az does then, too."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url} {why}; {_AZ_USES_ITS_OWN}")


async def fetch_aliases(target: CheckTarget, url: str) -> AliasDocument:
    """Fetch the document at `url` with the target's settings, without a token, and read it.

    Follows no redirect; takes at most `Limits.step` seconds and `Limits.metadata` bytes. Raises
    AliasFetchError.
    """
    limits = target.environment.limits
    try:
        async with open_session(target) as session, asyncio.timeout(limits.step):
            answer = await session.fetch("GET", url, limit=limits.metadata, public=True)
    except TimeoutError:
        raise AliasFetchError(url, f"did not answer whole in {limits.step:g} s") from None
    except FaultError as error:
        raise AliasFetchError(url, f"cannot be fetched: {error}") from None
    if answer.status == 200:
        return parse_aliases(answer.body, session.redactor)
    location = session.redactor.sanitize_untrusted(answer.headers.get("location", ""), 200)
    points = f", which points to {location or 'nowhere'}" if 300 <= answer.status < 400 else ""
    raise AliasFetchError(url, f"answers with status {answer.status}{points}")
