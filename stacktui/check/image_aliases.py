"""The use case "VM image aliases": the document that an environment names, fetched and read."""

from __future__ import annotations

import asyncio

from stacktui.check.target import CheckTarget
from stacktui.environments.alias_document import AliasDocument, parse_aliases
from stacktui.errors import FaultError, StacktuiError
from stacktui.resources.connection import open_session
from stacktui.transport.records import TransportError, TransportFaultKind

# What az 2.66 does (PROTOCOL.md section 7): it follows redirects, and limits neither time nor size.
_BUILT_IN = "the list that it has built in, which names images of public Azure"
_FOLLOWS = "az follows that, but stacktui does not: set vm_image_aliases to the document's own URL"
_OF_STATUS = f"az then uses {_BUILT_IN}"
_OF_CONNECTION = f"where az cannot either, it uses {_BUILT_IN}"
_OF_TIME = "az has no time-out, and waits for it"
_OF_SIZE = "az has no limit, and reads it whole"
_KIND = TransportFaultKind
# Not here: faults in the middle of an answer, at some of which az ends with a traceback.
_AZ_AT = {
    **dict.fromkeys(
        (
            *(_KIND.DNS_NOT_FOUND, _KIND.TCP_REFUSED, _KIND.TCP_UNREACHABLE, _KIND.TCP_RESET),
            *(_KIND.PROXY_UNREACHABLE, _KIND.PROXY_AUTH_REQUIRED, _KIND.PROXY_REFUSED),
            *(_KIND.TLS_NOT_TLS, _KIND.TLS_VERIFY, _KIND.TLS_REFUSED, _KIND.TLS_RESET),
        ),
        _OF_CONNECTION,
    ),
    _KIND.FIRST_BYTE_TIMEOUT: _OF_TIME,
    _KIND.STEP_TIMEOUT: _OF_TIME,
    _KIND.TOO_LARGE: _OF_SIZE,
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class AliasFetchError(StacktuiError):
    """The document of VM image aliases cannot be fetched; says what az does then, where known."""

    def __init__(self, url: str, why: str, az: str | None) -> None:
        super().__init__(f"{url} {why}{f'; {az}' if az else ''}")


async def fetch_aliases(target: CheckTarget, url: str) -> AliasDocument:
    """Fetch the document at `url` with the target's settings, without a token, and read it.

    Follows no redirect; takes at most `Limits.step` seconds and `Limits.metadata` bytes. Raises
    AliasFetchError.
    """
    limits = target.environment.limits
    try:
        async with open_session(target.environment) as session, asyncio.timeout(limits.step):
            answer = await session.fetch("GET", url, limit=limits.metadata, public=True)
    except TimeoutError:
        why = f"did not answer whole in {limits.step:g} s"
        raise AliasFetchError(url, why, _OF_TIME) from None
    except FaultError as error:
        az = _AZ_AT.get(error.fault.kind) if isinstance(error, TransportError) else None
        raise AliasFetchError(url, f"cannot be fetched: {error}", az) from None
    if answer.status == 200:
        return parse_aliases(answer.body, session.redactor)
    why = f"answers with status {answer.status}"
    location = answer.headers.get("location", "")
    if answer.status not in _REDIRECTS or not location:
        raise AliasFetchError(url, why, _OF_STATUS)
    shown = session.redactor.sanitize_untrusted(location, 200)
    raise AliasFetchError(url, f"{why}, which points to {shown}", _FOLLOWS)
