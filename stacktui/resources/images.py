"""The VM images of a stamp: publishers, offers, SKUs and versions (PROTOCOL.md section 4).

Each list is a bare array, of one location.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from stacktui.environments.alias_document import LATEST, ImageAlias
from stacktui.resources.client import ArmClient
from stacktui.resources.model import ArmError, ArmProblem
from stacktui.resources.subscriptions import subscription_path
from stacktui.text.json_fields import items, text

_WHAT = "the VM images"
# Requests that run at once.
_AT_ONCE = 8
# A stamp has a few tens of publishers; public Azure has thousands, whose images nobody lists.
_MOST_PUBLISHERS = 200
# The names that are told of what is there instead.
_MOST_INSTEAD = 8
# The names of the lists, in their order, and what stands between them in the path.
_SEGMENTS = ("publishers", "artifacttypes/vmimage/offers", "skus", "versions")


class ImageLevel(StrEnum):
    """The parts of a URN, from the top."""

    PUBLISHER = "publisher"
    OFFER = "offer"
    SKU = "sku"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class ImageMatch:
    """Whether the image of an alias is there: the `urn` to use, as the stamp spells it, or the
    first level that is `missing`, and what is there `instead`."""

    alias: ImageAlias
    urn: str = ""
    missing: ImageLevel | None = None
    instead: tuple[str, ...] = ()

    @property
    def why_missing(self) -> str:
        """What the stamp does not have, and some of what it has; empty where the image is there."""
        if self.missing is None:
            return ""
        more = len(self.instead) - _MOST_INSTEAD
        there = ", ".join(self.instead[:_MOST_INSTEAD]) + (f" and {more} more" if more > 0 else "")
        wanted = getattr(self.alias, self.missing)
        return f"the stamp has no {self.missing} {wanted}; it has {there or 'none'}"


def highest(versions: Iterable[str]) -> str | None:
    """Return the highest version, by its dotted parts as numbers; None of none."""
    return max(versions, key=_version_key, default=None)


async def compare_images(
    client: ArmClient, subscription: str, aliases: Sequence[ImageAlias]
) -> tuple[ImageMatch, ...]:
    """Return for each alias whether its image is there. Only the lists that lead to one are read.

    Names are compared without case. Raises as `ArmClient.request`.
    """
    lists = _ImageLists(client, await _compute_path(client, subscription))
    there: dict[ImageAlias, tuple[str, ...]] = dict.fromkeys(aliases, ())
    matches: dict[ImageAlias, ImageMatch] = {}
    for level in ImageLevel:
        known = await lists.read(set(there.values()))
        for alias, above in tuple(there.items()):
            names = known[above]
            if name := _named(names, getattr(alias, level), level):
                there[alias] = (*above, name)
            else:
                del there[alias]
                matches[alias] = ImageMatch(alias, missing=level, instead=names)
    matches |= {alias: ImageMatch(alias, ":".join(parts)) for alias, parts in there.items()}
    return tuple(matches[each] for each in aliases)


async def offered_images(client: ArmClient, subscription: str) -> tuple[ImageAlias, ...]:
    """Return an alias, by offer and SKU, for each image that the stamp has; `latest` of each.

    Raises as `ArmClient.request`, and ArmError for a cloud of too many publishers.
    """
    lists = _ImageLists(client, await _compute_path(client, subscription))
    found: list[tuple[str, ...]] = [()]
    for level in ImageLevel:
        known = await lists.read(found)
        if level is ImageLevel.PUBLISHER and len(known[()]) > _MOST_PUBLISHERS:
            message = f"over {_MOST_PUBLISHERS} publishers: no stamp has as many"
            raise client.error(ArmProblem.TOO_LARGE, _WHAT, 200, message=message)
        if level is ImageLevel.VERSION:
            found = [(*each, name) for each in found if (name := highest(known[each]))]
        else:
            found = [(*each, name) for each in found for name in known[each]]
    images = await _at_once(lists.image(each) for each in found)
    aliases: dict[str, ImageAlias] = {}
    for (publisher, offer, sku, _), image in zip(found, images, strict=True):
        name = f"{offer}-{sku}"
        name = name if name.lower() not in aliases else f"{publisher}-{name}"
        system = client.text(image, "properties", "osDiskImage", "operatingSystem") or "Linux"
        architecture = client.text(image, "properties", "architecture") or "x64"
        aliases[name.lower()] = ImageAlias(
            name, system, publisher, offer, sku, architecture=architecture
        )
    return tuple(aliases.values())


class _ImageLists:
    """The lists of one location."""

    def __init__(self, client: ArmClient, base: str) -> None:
        self._client, self._base = client, base

    async def read(
        self, paths: Collection[tuple[str, ...]]
    ) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Return the names of the level below each path: those of the publishers below ()."""
        return dict(zip(paths, await _at_once(map(self._names, paths)), strict=True))

    async def image(self, path: tuple[str, ...]) -> dict[str, Any]:
        """Return the image at a path of all levels, unsanitised."""
        response = await self._client.request("GET", self._url(path), what=_WHAT)
        return response.document if isinstance(response.document, dict) else {}

    async def _names(self, path: tuple[str, ...]) -> tuple[str, ...]:
        what = f"{_WHAT} of {' '.join(path)}" if path else _WHAT
        url = f"{self._url(path)}/{_SEGMENTS[len(path)]}"
        try:
            response = await self._client.request("GET", url, what=what)
        except ArmError as error:
            if path and error.fault.status == 404:  # listed, with nothing below it
                return ()
            raise
        if not isinstance(response.document, list):
            problem, message = ArmProblem.SHAPE, "no list of names"
            raise self._client.error(
                problem, what, response.status, message=message, exchange=response.exchange
            )
        names = (self._client.text(row, "name") for row in response.document)
        return tuple(name for name in names if name)

    def _url(self, path: Sequence[str]) -> str:
        pairs = zip(_SEGMENTS, path, strict=False)
        return self._base + "".join(f"/{key}/{quote(name, '')}" for key, name in pairs)


async def location_of(client: ArmClient, subscription: str) -> str:
    """Return the stamp's location, unsanitised; a public cloud's first.

    Raises as `ArmClient.request`, and ArmError where there is none.
    """
    what = "the locations"
    scope = subscription_path(client, subscription, what)
    found = items(await client.read(f"{scope}/locations", what=what), "value")
    if not (location := text(found[0], "name") if found else ""):
        raise client.error(ArmProblem.SHAPE, what, 200, message="no location")
    return location


async def _compute_path(client: ArmClient, subscription: str) -> str:
    scope = subscription_path(client, subscription, "the locations")
    location = quote(await location_of(client, subscription), "")
    return f"{scope}/providers/Microsoft.Compute/locations/{location}"


async def _at_once(coroutines: Iterable[Any]) -> list[Any]:
    """Return the results of all, a few at a time; raise the first error once all have ended."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def bounded(coroutine: Any) -> Any:
        async with limit:
            return await coroutine

    results = await asyncio.gather(*map(bounded, coroutines), return_exceptions=True)
    for each in results:
        if isinstance(each, BaseException):
            raise each
    return results


def _named(names: Sequence[str], wanted: str, level: ImageLevel) -> str | None:
    if level is ImageLevel.VERSION and wanted.lower() == LATEST:
        return highest(names)
    return next((name for name in names if name.lower() == wanted.lower()), None)


def _version_key(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in version.split("."))
