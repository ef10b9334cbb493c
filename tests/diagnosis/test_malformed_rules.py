"""Answers that came whole and can be nobody's, at each of the three steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.servers import Script, said, scripted, verdict_on
from tests.support.web import Raw, answer

NO_HTTP = Raw(b"\x00\x01\x02 SSH-2.0\r\n\r\n", then="close")
NO_GZIP = answer(b"not gzip at all", **{"Content-Encoding": "gzip"})
HUGE = answer(b" " * (17 * 1024 * 1024))


@pytest.mark.parametrize(
    ("said_", "expected"), [(NO_HTTP, "is not HTTP"), (NO_GZIP, "be unpacked")]
)
@pytest.mark.parametrize(
    ("step", "id_", "side"),
    [
        ("metadata", "metadata-not-json", "stamp"),
        ("token", "login-not-json", "sign-in"),
        ("groups", "arm-not-json", "stamp"),
    ],
)
async def test_what_nobody_can_read_is_named(
    said_: Raw, expected: str, step: str, id_: str, side: str, tmp_path: Path
) -> None:
    async with scripted(Script(**{step: said_})) as web:
        verdict = await verdict_on(tmp_path, web.url)
    assert (verdict["id"], verdict["side"]) == (id_, side)
    assert expected in verdict["title"]


@pytest.mark.parametrize(("step", "id_"), [("token", "login-not-json"), ("groups", "arm-not-json")])
async def test_what_is_larger_than_any_real_answer_is_named(
    step: str, id_: str, tmp_path: Path
) -> None:
    async with scripted(Script(**{step: HUGE})) as web:
        verdict = await verdict_on(tmp_path, web.url)
    assert verdict["id"] == id_
    assert verdict["title"].endswith("is larger than any real one")


ODD = [
    [],
    {"value": 3},
    {"value": ["x"]},
    {"value": {}},
    {"value": [], "nextLink": 1},
    {"error": {"code": "SubscriptionNotFound"}},
    "text",
]


@pytest.mark.parametrize("document", ODD)
async def test_json_that_is_not_in_arms_form_is_named(document: object, tmp_path: Path) -> None:
    async with scripted(Script(groups=said(document))) as web:
        verdict = await verdict_on(tmp_path, web.url)
    assert (verdict["id"], verdict["side"]) == ("arm-not-json", "stamp")
    assert verdict["title"] == "What ARM answers is JSON, but not in ARM's form"
