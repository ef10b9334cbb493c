"""Fetching a stamp's metadata: the first step of every check."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlsplit

from stacktui.environments.metadata import (
    API_VERSIONS,
    Metadata,
    MetadataError,
    MetadataFault,
    MetadataProblem,
    metadata_url,
    parse_metadata,
)
from stacktui.environments.model import CloudKey
from stacktui.environments.public_resources import is_public_arm
from stacktui.text.html_page import looks_like_html, page_title
from stacktui.transport.arm_error import read_arm_error
from stacktui.transport.records import TransportError
from stacktui.transport.session import Answer, HttpSession

# The part of a step's time in which the newer shape must come, which is not needed.
_SHARE = 4
# ARM's codes for an api-version that it does not serve (PROTOCOL.md section 3).
_VERSION_CODES = frozenset({"InvalidApiVersionParameter", "NoRegisteredProviderFound"})


# That of public clouds, of which their own documents are (PROTOCOL.md section 1).
_PUBLIC_VERSION = "2022-09-01"


async def fetch_metadata(
    session: HttpSession, arm: str, own: Mapping[CloudKey, str] = MappingProxyType({})
) -> Metadata:
    """Fetch the metadata of the ARM endpoint `arm`, without a token.

    `own` are values of the user's that replace the document's.

    The next api-version is tried only where ARM refuses the one before. Raises TransportError and
    MetadataError.
    """
    tried: list[str] = []
    for version in API_VERSIONS:
        tried.append(version)
        url = metadata_url(arm, version)
        answer = await session.fetch("GET", url, limit=session.limits.metadata)
        try:
            return _read(answer, arm, version, session, own)
        except MetadataError as error:
            last = error.fault
            if last.problem is not MetadataProblem.API_VERSION:
                raise
    raise MetadataError(replace(last, versions=tuple(tried)))


async def fetch_other_shape(
    session: HttpSession, arm: str, first: Metadata, own: Mapping[CloudKey, str]
) -> Metadata | None:
    """Fetch the newer shape of the metadata, without a token; None where there is none.

    `first` is what `fetch_metadata` returned: the newer shape says more, but not every build has
    it. A failure is no fault.
    """
    is_public = is_public_arm(urlsplit(arm).hostname or "")
    version = _PUBLIC_VERSION if is_public else API_VERSIONS[-1]
    if first.api_version == version:
        return None
    try:
        async with asyncio.timeout(session.limits.step / _SHARE):
            url = metadata_url(arm, version)
            answer = await session.fetch("GET", url, limit=session.limits.metadata)
            return _read(answer, arm, version, session, own)
    except (TimeoutError, MetadataError, TransportError):
        return None


def _read(
    answer: Answer, arm: str, version: str, session: HttpSession, own: Mapping[CloudKey, str]
) -> Metadata:
    status = answer.status
    if status == 200:
        return parse_metadata(answer.body, arm, version, session.redactor, own)
    if 300 <= status < 400:
        location = session.redactor.sanitize_untrusted(answer.headers.get("location", ""), 200)
        detail = f"a redirect to {location}" if location else "a redirect to nowhere"
        raise MetadataError(
            MetadataFault(MetadataProblem.REDIRECT, detail, status, location=location)
        )
    code, message = read_arm_error(answer.body, session.redactor)
    problem = MetadataProblem.API_VERSION if code in _VERSION_CODES else MetadataProblem.STATUS
    title = page_title(answer.body, session.redactor) if looks_like_html(answer.body) else None
    detail = f"status {status}" + (f", {code}" if code else "")
    fault = MetadataFault(problem, detail, status, page_title=title, code=code, message=message)
    raise MetadataError(fault)
