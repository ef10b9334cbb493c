"""The report for a ticket: what it says, and that nothing in it can be more than text."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from stacktui.azure_cli.facts import AzFacts, AzInstallation
from stacktui.certificates.chain_completion import ChainCompletion
from stacktui.check.report import Probe, Report
from stacktui.check.target import CheckTarget
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.finding import Action, ActionKind, Diagnosis, Finding, Remedy, Side
from stacktui.diagnosis.markdown import report_markdown
from stacktui.environments.model import Environment
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.text.markdown_escape import code, fenced, prose, table
from tests.product import Ran, stacktui, write_config
from tests.support.draws import draws

from .test_total import objects, reports

# HTML, links bare and hidden, and everything on GitHub that finds something in plain text.
READER = MarkdownIt("gfm-like")
NOT_ALLOWED = {"html_block", "html_inline", "link_open", "image", "em_open", "s_open"}
LIVE = re.compile(r"[@#<>*_~\\`|\[\]]|://|www\.|\b[a-z0-9-]+\.[a-z]{2,}")
HOSTILE = (
    "<script>alert(1)</script>",
    "<!-- open",
    "[me](https://evil.example)",
    "![me](https://evil.example/x.png)",
    "https://evil.example/?a=1",
    "www.evil.example",
    "see (www.evil.example).",
    "mail me@evil.example",
    "@everyone and #1, org/repo#2 and GH-3",
    "a | b",
    "a \\| b \\",
    "|||",
    "| --- | --- |",
    "``` bash",
    "```",
    "````` ~~~",
    "` `` ``` ````",
    "`",
    "# heading",
    "====",
    "----",
    "- [ ] task",
    "1. one",
    "1) one",
    "> quote",
    "    indented",
    "[ref]: https://evil.example",
    "**bold** __bold__ ~~gone~~",
    "&lt;script&gt; &#60;",
    "\\",
    "a\n\n# b\r\n<b>",
    "\u2028# b\u0085# c\x0b# d\x0c# e\x1c# f",
    "\u202eevil",
    "\x1b[2J\x00",
    ":smile: (c) 4e0a5c1d2b",
    "\u00a0# b",
    " ",
    "日本語 | 名前",
)
SURE = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=40)


def skeleton(tokens: list[Token]) -> list[str]:
    """The blocks of a document, without what stands in them."""
    return [f"{token.type} {token.tag} {token.info}" for token in tokens]


def inlines(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or ()]


def assert_inert(document: str) -> list[Token]:
    tokens = READER.parse(document)
    assert not {token.type for token in (*tokens, *inlines(tokens))} & NOT_ALLOWED
    for token in inlines(tokens):
        if token.type == "text":
            assert not LIVE.search(token.content), token.content
    return tokens


# SecretFragments


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_one_inert_paragraph(text: str) -> None:
    tokens = assert_inert(prose(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]


@given(SURE)
def test_any_text_is_one_inert_paragraph_cell_and_code_span(text: str) -> None:
    assert len(assert_inert(prose(text))) == 3
    assert len(assert_inert(f"- {prose(text)}")) == 7
    tokens = assert_inert("\n".join(table(("a", "b"), [(prose(text), code(text))])))
    plain = READER.parse("\n".join(table(("a", "b"), [("x", "y")])))
    assert skeleton(tokens) == skeleton(plain)


@given(st.text(alphabet="`ab \\|<", min_size=1, max_size=30).filter(lambda text: text.strip(" ")))
def test_a_code_span_holds_exactly_its_text(text: str) -> None:
    (span,) = inlines(READER.parse(f"x {code(text)} x"))[1:-1]
    assert (span.type, span.content) == ("code_inline", text)
    row = READER.parse("\n".join(table(("a",), [(code(text),)])))
    (cell,) = [each for each in inlines(row) if each.type == "code_inline"]
    assert cell.content == text


@given(st.text(alphabet="`~ab \n", max_size=60))
def test_a_fence_holds_exactly_its_text(text: str) -> None:
    (block,) = READER.parse("\n".join(fenced("bash", text)))
    assert (block.type, block.info, block.content) == ("fence", "bash", f"{text}\n")


def test_plain_words_stay_plain() -> None:
    said = "The operator's root, which (so far) nobody trusts: 12 days, 3 hosts."
    assert prose(said) == said
    assert (
        prose("GET https://a.b/c → 500 (1,234 bytes)")
        == "GET `https://a.b/c` → 500 (`1,234` bytes)"
    )
    assert prose("in 1. and 2)") == "in `1`. and `2`)"
    assert prose("") == "–"


# Documents


def calm(value: Any, known: dict[str, str]) -> Any:
    """The same value with harmless words in place of its texts, equal ones for equal ones."""
    match value:
        case Enum() | bytes() | Path():
            return value
        case str():
            number = known.setdefault(value, str(len(known)))
            word = "".join(chr(ord("a") + int(digit)) for digit in number)
            return f"w{word}" if value else ""
        case tuple():
            return tuple(calm(each, known) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        pairs = {each.name: getattr(value, each.name) for each in fields(value)}
        if "headers" in pairs:  # their names decide which are ids
            headers = tuple((name, calm(text, known)) for name, text in pairs.pop("headers"))
            return replace(value, headers=headers) if headers else value
        if "resolve" in pairs:
            pairs = {name: held for name, held in pairs.items() if name != "resolve"}
        return replace(value, **{name: calm(held, known) for name, held in pairs.items()})
    return value


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    texts = st.lists(SURE, max_size=3).map(tuple)
    remedy = st.builds(Remedy, SURE, SURE | st.just(""), SURE | st.just(""), st.none())
    return Finding(
        draw(SURE),
        draw(SURE),
        draw(st.sampled_from(Side)),
        draw(texts),
        tuple(draw(st.lists(remedy, max_size=2))),
        draw(SURE),
    )


@st.composite
def whole_reports(draw: st.DrawFn) -> Report:
    """With all that is found out besides the steps."""
    report = draw(reports())
    last = report.failed.evidence.last if report.failed else None
    completion = draw(st.none() | objects(ChainCompletion))
    if completion is not None and last is not None and last.connection is not None:
        completion = replace(completion, host=last.connection.host, port=last.connection.port)
    probes = tuple(draw(st.lists(objects(Probe), max_size=2)))
    found = tuple(draw(st.lists(objects(AzInstallation), max_size=2)))
    return replace(report, probes=probes, completion=completion, az=AzFacts(Path(), found))


@settings(
    max_examples=draws(40),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(whole_reports(), findings(), st.lists(findings(), max_size=2))
def test_no_text_changes_the_shape_of_a_document(
    report: Report, verdict: Finding, seen: list[Finding]
) -> None:
    diagnosis = Diagnosis(None if report.ok else verdict, tuple(seen))
    tokens = assert_inert(report_markdown(report, diagnosis))
    known: dict[str, str] = {}
    harmless = report_markdown(calm(report, known), calm(diagnosis, known))
    assert skeleton(tokens) == skeleton(READER.parse(harmless))


@settings(max_examples=draws(20), deadline=None, suppress_health_check=list(HealthCheck))
@given(reports())
def test_any_diagnosed_report_is_a_document(report: Report) -> None:
    diagnosis = diagnose(report)
    document = report_markdown(report, diagnosis)
    assert document == report_markdown(report, diagnosis)
    assert_inert(document)


# From the outside


def checked(tmp_path: Path, fault: str | None, **variables: str) -> tuple[Ran, str]:
    options = StampOptions(idp=IdentityProvider.ADFS, fault=fault)
    with run_in_thread(options) as stamp:
        config = write_config(tmp_path, stamp.describe())
        ran = stacktui("check", "--config", str(config), "--format", "markdown", **variables)
        return ran, Path(stamp.secret_file).read_text(encoding="utf-8").strip()


def fences(document: str, info: str) -> list[str]:
    return [token.content.strip() for token in READER.parse(document) if token.info == info]


def headings(document: str) -> list[str]:
    tokens = READER.parse(document)
    return [after.content for token, after in pairwise(tokens)
            if token.type == "heading_open"]  # fmt: skip


def test_a_fault_as_a_ticket_needs_it(tmp_path: Path) -> None:
    ran, secret = checked(tmp_path, "arm-forbidden")
    assert ran.code == 1
    assert not ran.err
    assert_inert(ran.out)
    titles = headings(ran.out)
    assert titles[0].startswith("stacktui: Test: arm-forbidden, side: ")
    assert titles[1].startswith("Verdict: arm-forbidden, side: ")
    assert "Timeline" in titles
    assert "Ids for support" in titles
    assert fences(ran.out, "bash")
    assert fences(ran.out, "powershell")
    for said in ("x-ms-correlation-request-id", "AuthorizationFailed", "service principal",
                 "2020-09-01-hybrid", "| metadata |", "| token |", "| resource-groups |",
                 "SHA-256", "proxy setting"):  # fmt: skip
        assert said in ran.out, said
    assert secret not in ran.out
    assert "eyJ" not in ran.out


def test_a_healthy_check_is_a_document_too(tmp_path: Path) -> None:
    ran, secret = checked(tmp_path, None)
    assert ran.code == 0
    assert headings(ran.out)[0] == "stacktui: Test: healthy"
    assert "Timeline" in headings(ran.out)
    assert secret not in ran.out
    assert_inert(ran.out)


def test_a_sign_in_that_was_refused_has_its_correlation_id(tmp_path: Path) -> None:
    ran, secret = checked(tmp_path, "sp-secret-wrong")
    assert headings(ran.out)[0].startswith("stacktui: Test: sp-secret-wrong")
    assert "The answer that decided" in headings(ran.out)
    assert secret not in ran.out
    assert_inert(ran.out)


def test_stdout_that_knows_few_signs_still_gets_the_document(tmp_path: Path) -> None:
    ran, _ = checked(tmp_path, "tls-expired", encoding="ascii")
    assert ran.code == 1
    assert ran.out.isascii()
    assert headings(ran.out)[0].startswith("stacktui: Test: tls-expired")
    assert_inert(ran.out)


def test_a_drill_can_be_written_down_too() -> None:
    ran = stacktui("demo", "--check", "--fault", "tls-expired", "--format", "markdown")
    assert ran.code == 1
    assert headings(ran.out)[0].startswith("stacktui: AzureStackUser: tls-expired")


def test_a_mend_with_an_action_is_told_as_any_other() -> None:
    target = CheckTarget(Environment("Test", "https://management.local.azurestack.external"))
    report = Report(target, datetime(2026, 5, 3, tzinfo=UTC), 0.1, ())
    action = Action(ActionKind.SET, "profile", "2018-03-01-hybrid")
    remedy = Remedy("Set the profile", "stacktui environments set", "", action)
    seen = Finding("a-thing", "A thing", Side.BOX, (), (remedy,), "")
    document = report_markdown(report, Diagnosis(None, (seen,)))
    assert "**Fix 1.** Set the profile" in document
    assert fences(document, "bash") == ["stacktui environments set"]
    assert fences(document, "powershell") == []
