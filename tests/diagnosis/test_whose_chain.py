"""Whose chain it is: what nothing ties to the leaf tells nothing, wherever it is sent."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from stacktui.config.locations import stamps_file
from tests.diagnosis.servers import Script, config_for, document_on, scripted
from tests.diagnosis.test_pinning_rules import checked
from tests.support.authority import DAY, STRANGERS, Issued, authority, issue, server_context

NAMES = ("localhost", "127.0.0.1")
OURS = authority()
OTHERS = authority("Litware")


def leaf(issuer: Issued) -> Issued:
    return issue("localhost", NAMES, issuer)


async def in_turn(
    folder: Path,
    *servers: tuple[tuple[Issued, ...], tuple[Issued, ...]],
    after_each: Callable[[], None] = lambda: None,
) -> list[dict[str, Any]]:
    """Checks of one environment, whose server sends these (leaf first), while these are trusted."""
    documents, port = [], 0
    for sent, trusted in servers:
        context = server_context(sent[0], b"".join(each.pem for each in sent[1:]))
        async with scripted(Script(), context, port=port) as web:
            port = web.listener.port
            documents.append(await checked(config_for(folder, web.url, roots=trusted)))
        after_each()
    return documents


def seen(document: dict[str, Any]) -> list[str]:
    verdict = document["verdict"]
    found = [verdict["id"]] if verdict else []
    also_seen = [each["id"] for each in document["also_seen"]]
    return found + [id_ for id_ in also_seen if id_ in ("root-changed", "tls-intercepted")]


# A name in a forged certificate -------------------------------------------------------------


async def _forged(folder: Path, *names: str) -> dict[str, Any]:
    """The verdict on a certificate that only by its issuer's name is of the trusted root."""
    forger = issue("Contoso Root CA", (), None)
    context = server_context(issue(names[0], names, forger))
    async with scripted(Script(), context) as web:
        verdict: dict[str, Any] = (await document_on(folder, web.url))["verdict"]
        return verdict


async def test_a_forged_certificate_with_another_name_tells_no_name(tmp_path: Path) -> None:
    verdict = await _forged(tmp_path, "management.evil.example")
    assert verdict["id"] == "unexplained"
    assert not [each for each in verdict["remedies"] if each["action"]]
    assert "evil" not in "".join(each["bash"] for each in verdict["remedies"])


async def test_what_else_is_wrong_is_told_before_a_wrong_name(tmp_path: Path) -> None:
    sent = OURS.leaf("management.evil.example", starts=-9 * DAY, ends=-2 * DAY)
    async with scripted(Script(), OURS.server(sent)) as web:
        document = await document_on(tmp_path, web.url)
    verdict = document["verdict"]
    tls = document["steps"][0]["evidence"]["exchanges"][-1]["connection"]["tls"]
    assert (tls["verify_code"], tls["code_but_name"]) == (62, 10)
    assert verdict["id"] == "tls-expired"
    assert not [each for each in verdict["remedies"] if each["action"]]


async def test_a_trusted_certificate_with_another_name_offers_it(tmp_path: Path) -> None:
    context = OURS.server(OURS.leaf("management.east.example"))
    async with scripted(Script(), context) as web:
        document = await document_on(tmp_path, web.url)
    tls = document["steps"][0]["evidence"]["exchanges"][-1]["connection"]["tls"]
    assert (tls["verify_code"], tls["code_but_name"], tls["looked"]) == (62, 0, True)
    assert document["verdict"]["id"] == "tls-name-mismatch"
    assert document["verdict"]["remedies"][0]["action"]["kind"] == "set"


# Certificates that are not of the chain -----------------------------------------------------

BOTH = (OURS.root, OTHERS.root)
GENUINE = (leaf(OURS.intermediate), OURS.intermediate)
OTHER = leaf(OTHERS.intermediate)


@pytest.mark.parametrize("stray", [(), (OURS.intermediate,), (OURS.root,)])
async def test_a_stray_certificate_does_not_hide_another_root(
    stray: tuple[Issued, ...], tmp_path: Path
) -> None:
    trusted, untrusted = (OTHER, OTHERS.intermediate, *stray), (OTHER, *stray, OTHERS.intermediate)
    first, then, last = await in_turn(
        tmp_path, (GENUINE, BOTH), (trusted, BOTH), (untrusted, (OURS.root,))
    )
    assert seen(first) == []
    assert seen(then) == ["root-changed"]
    assert seen(last) == ["tls-intercepted"]


async def test_a_stray_certificate_is_not_recorded(tmp_path: Path) -> None:
    first, then = await in_turn(
        tmp_path, ((*GENUINE, OTHERS.root), BOTH), ((OTHER, OTHERS.intermediate), BOTH)
    )
    assert (seen(first), seen(then)) == ([], ["root-changed"])


async def test_the_order_of_what_is_sent_is_no_matter(tmp_path: Path) -> None:
    below = (OTHERS.intermediate, OTHERS.root, OURS.root)
    for sent in permutations(below):
        (document,) = await in_turn(tmp_path, ((OTHER, *sent), (STRANGERS.root,)))
        assert seen(document) == ["tls-untrusted-root"]
        assert "does not hold Litware Root CA" in document["verdict"]["title"]


# One CA, seen to different heights ----------------------------------------------------------

HEIGHTS = [
    GENUINE[:1],
    GENUINE,
    (*GENUINE, OURS.root),
]


async def test_more_or_less_of_one_chain_is_no_news(tmp_path: Path) -> None:
    trusted = (OURS.root, OURS.intermediate)
    for index, (one, other) in enumerate(permutations(HEIGHTS, 2)):
        folder = tmp_path / str(index)
        folder.mkdir()
        good, still, lost = await in_turn(
            folder, (one, trusted), (other, trusted), (other, (STRANGERS.root,))
        )
        assert (seen(good), seen(still)) == ([], [])
        assert "tls-intercepted" not in seen(lost)


# One name, two keys: a stamp that was deployed anew, or somebody who copies its names

TWIN_ROOT = issue("Contoso Root CA", (), None)
TWIN_INTERMEDIATE = issue("Contoso Issuing CA", (), TWIN_ROOT)
TWIN = (leaf(TWIN_INTERMEDIATE), TWIN_INTERMEDIATE)
RENEWED_INTERMEDIATE = issue("Contoso Issuing CA", (), OURS.root, starts=-2 * DAY)
RENEWED = (leaf(RENEWED_INTERMEDIATE), RENEWED_INTERMEDIATE)


def forget_roots() -> None:
    """Make the records those of an earlier version, which recorded no root."""
    document = json.loads(stamps_file().read_bytes())
    for row in document["stamps"].values():
        row.pop("root", None)
    stamps_file().write_text(json.dumps(document))


def keep_roots() -> None:
    (row,) = json.loads(stamps_file().read_bytes())["stamps"].values()
    assert row["root"] == b64encode(OURS.root.der).decode()


@pytest.mark.parametrize("sent", [GENUINE, (*GENUINE, OURS.root)], ids=["no root", "root"])
@pytest.mark.parametrize("after_each", [keep_roots, forget_roots])
async def test_copied_names_are_noticed_where_the_server_sends_no_root(
    sent: tuple[Issued, ...], after_each: Callable[[], None], tmp_path: Path
) -> None:
    servers = ((sent, (OURS.root,)), (TWIN, (TWIN_ROOT,)))
    first, then = await in_turn(tmp_path, *servers, after_each=after_each)
    assert (seen(first), seen(then)) == ([], ["root-changed"])


@pytest.mark.parametrize("sent", HEIGHTS, ids=len)
async def test_a_record_of_an_earlier_version_gets_its_root(
    sent: tuple[Issued, ...], tmp_path: Path
) -> None:
    trusted, renewed = (OURS.root, OURS.intermediate), leaf(OURS.intermediate)
    edits = iter((forget_roots, keep_roots, keep_roots))
    documents = await in_turn(
        tmp_path,
        (sent, trusted),
        (sent, trusted),
        ((renewed, *sent[1:]), trusted),
        after_each=lambda: next(edits)(),
    )
    assert [seen(each) for each in documents] == [[], [], []]


async def test_a_new_intermediate_under_the_recorded_root_is_no_news(tmp_path: Path) -> None:
    trusted = (OURS.root,)
    documents = await in_turn(tmp_path, (GENUINE, trusted), (RENEWED, trusted))
    assert [seen(each) for each in documents] == [[], []]


async def test_a_renewed_ca_is_told_as_one_of_two(tmp_path: Path) -> None:
    new = (OTHER, OTHERS.intermediate, OTHERS.root)
    _, bad = await in_turn(tmp_path, ((*GENUINE, OURS.root), (OURS.root,)), (new, (OURS.root,)))
    verdict = bad["verdict"]
    assert (verdict["id"], verdict["side"]) == ("tls-intercepted", "network")
    assert verdict["title"] == (
        "Litware Root CA signs for localhost now, and Contoso Root CA did before: either TLS is "
        "opened on the way, or the operator has renewed the CA"
    )
    shown = "\n".join(verdict["evidence"])
    assert "for TLS opened on the way: " in shown
    assert "for a renewed CA: " in shown
    assert "Ask the stamp's operator" in verdict["remedies"][0]["title"]
    actions = [each["action"]["kind"] for each in verdict["remedies"] if each["action"]]
    assert actions == ["trust-root", "accept"]


async def test_a_gateway_by_its_name_is_told_as_one(tmp_path: Path) -> None:
    gateway = (leaf(STRANGERS.intermediate), STRANGERS.intermediate, STRANGERS.root)
    _, bad = await in_turn(tmp_path, (GENUINE, (OURS.root,)), (gateway, (OURS.root,)))
    assert bad["verdict"]["title"].endswith("TLS is opened on the way")
    assert "exempt from TLS inspection" in bad["verdict"]["remedies"][0]["title"]
