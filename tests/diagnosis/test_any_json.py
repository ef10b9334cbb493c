"""Whatever JSON value stands in whatever field, a check ends in a report that can be shown.

Any bytes are test_any_bytes.py's. Here each document that the embedded stamp serves has each of its
fields, items and itself replaced in turn by a value that nobody would write there; so have the
files that we read.
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from stacktui.certificates.additions import read_additions, remember
from stacktui.check.events import CheckFinished
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.check.target import CheckTarget
from stacktui.config.locations import additions_file, operations_file, stamps_file
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.document import report_document
from stacktui.diagnosis.markdown import report_markdown
from stacktui.environments.model import Environment
from stacktui.environments.record import RecordError, StampRecord, read_record, write_record
from stacktui.identities import device_code
from stacktui.resources import operations
from stacktui.resources.operations import OperationsFileError, deletion_of
from stacktui.stamp import IdentityProvider, SignInKind, StampOptions, serve
from stacktui.stamp.messages import Request, Response
from stacktui.stamp.router import Router
from stacktui.text.sanitize import escape_control_chars
from stacktui.tui.themes import ThemeError, read_theme
from tests.diagnosis.schema import validate
from tests.product import config_text, signing_in, stacktui
from tests.support.authority import authority

pytestmark = pytest.mark.exhaustive

# As JSON texts: some have no value in Python, or none that it would write.
ODD = (
    "null", "true", "0", "-1", "2.5", "1e999", "NaN", "9" * 400, "9" * 5000, '""', '" "', '"3599"',
    r'"\ud800"', r'"\u0000\u001b[2J\u202e\r\n"', '"//["', '"https://x.test:99999/%zz"',
    json.dumps("x" * 100_000), "[]", "{}", "[" * 800 + "]" * 800, '{"a": 1, "a": [null], "": {}}',
)  # fmt: skip
_MARK = "a mark that no document has"
_NOBODY = '"00000000-0000-4000-8000-000000000000"'
# Keys and numbers, which may lead on into the claims of a token.
Place = tuple[str | int, ...]


def places(value: object, here: Place = ()) -> Iterator[Place]:
    """Where in a document something stands: itself, its fields, and the first two of its items."""
    yield here
    children: Any = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value[:2])
    elif here[-1:] == ("access_token",):
        children = _claims(str(value)).items()
    for key, child in children:
        yield from places(child, (*here, key))


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def replaced(value: Any, place: Place, odd: str) -> str:
    """The document as JSON, with `odd` in that place."""
    if not place:
        return odd
    if isinstance(value, str):
        head, _, tail = value.split(".")
        inner = replaced(_claims(value), place, odd).encode()
        return json.dumps(f"{head}.{urlsafe_b64encode(inner).decode().rstrip('=')}.{tail}")
    changed = list(value) if isinstance(value, list) else dict(value)
    changed[place[0]] = _MARK
    return json.dumps(changed).replace(
        json.dumps(_MARK), replaced(value[place[0]], place[1:], odd), 1
    )


# What stamps serve

Asking = Callable[[Request], Request]


def _as_ever(request: Request) -> Request:
    return request


def _version(path: str, version: str) -> Asking:
    """Ask for another api-version."""
    query = {"api-version": version}
    return lambda asked: replace(asked, query=query) if asked.path.startswith(path) else asked


@dataclass
class Stage:
    """What the stamps serve meanwhile: all their documents are noted, one of them is odd."""

    ask: Asking = _as_ever
    path: str = ""
    place: Place = ()
    odd: str = ""

    def __post_init__(self) -> None:
        self.seen: dict[str, Any] = {}

    def serving(self, respond: Callable[[Router, Request], Response]) -> Any:
        def wrapped(router: Router, request: Request) -> Response:
            response = respond(router, self.ask(request))
            if not response.content_type.startswith("application/json"):
                return response
            document = self.seen.setdefault(request.path, json.loads(response.body))
            if request.path != self.path:
                return response
            return replace(response, body=replaced(document, self.place, self.odd).encode())

        return wrapped


async def ways(folder: Path, stack: AsyncExitStack) -> list[tuple[CheckTarget, Asking]]:
    """Each identity and shape of answers, errors among them, with both kinds of sign-in."""
    found = []

    def add(
        described: Mapping[str, Any],
        kind: SignInKind = SignInKind.SECRET,
        ask: Asking = _as_ever,
        **changed: str,
    ) -> None:
        path = folder / "config.toml"
        keys = signing_in(kind, described, **changed)
        path.write_text(config_text(described, **keys), encoding="utf-8")
        target = load_settings(path, {"step": 4.0}).target()
        limits = replace(target.environment.limits, device_code=1.5)
        target = replace(target, environment=replace(target.environment, limits=limits))
        found.append((target, ask))

    for idp in IdentityProvider:
        options = StampOptions(
            idp=idp, device_interval=1, device_approve_after=1, groups=2, page_size=1
        )
        stamp = await stack.enter_async_context(serve(options))
        described = stamp.describe()
        add(described, subscription="")
        add(described, client_id=_NOBODY)
        add(described, SignInKind.DEVICE_CODE)
        if idp is IdentityProvider.AAD:
            add(described, ask=_version("/metadata/endpoints", "2019-10-01"))
            add(described, ask=_version("/metadata/endpoints", "1999-01-01"))
            add(described, ask=_version("/subscriptions", "1999-01-01"))
            add(described, subscription=_NOBODY)
            os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = stamp.imds_url
            add(described, SignInKind.MANAGED_IDENTITY)
            add(described, SignInKind.MANAGED_IDENTITY, client_id=_NOBODY)
    return found


async def concluded(target: CheckTarget) -> None:
    """Check a target, and write its report in every form."""
    last = [event async for event in run(target)][-1]
    assert isinstance(last, CheckFinished)
    report, diagnosis = last.report, diagnose(last.report)
    document = json.dumps(report_document(report, diagnosis), allow_nan=False)
    validate(json.loads(document))
    assert report_markdown(report, diagnosis)
    assert report.ok == (diagnosis.verdict is None)
    for found in filter(None, (diagnosis.verdict, *diagnosis.also_seen)):
        lines = (found.title, *found.evidence, *(each.bash for each in found.remedies))
        assert all(line == escape_control_chars(line) for line in lines)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    found = Stage()
    monkeypatch.setattr(Router, "respond", found.serving(Router.respond))
    monkeypatch.setattr(Router, "respond_imds", found.serving(Router.respond_imds))
    monkeypatch.setattr(device_code, "_LONGEST_INTERVAL", 0.02)
    # What one check records would be what the next one differs from.
    monkeypatch.setenv("XDG_CONFIG_HOME", os.devnull)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "")
    return found


async def test_any_value_in_any_field_is_a_report(stage: Stage, tmp_path: Path) -> None:
    odd, done = cycle(ODD), set()
    async with AsyncExitStack() as stack:
        for target, ask in await ways(tmp_path, stack):
            stage.seen, stage.path, stage.ask = {}, "", ask
            await concluded(target)
            for path, document in tuple(stage.seen.items()):
                # The first way to a document, and one value in each of its places, are enough.
                for place in places(document):
                    if (path, place) in done:
                        continue
                    done.add((path, place))
                    stage.path, stage.place, stage.odd = path, place, next(odd)
                    try:
                        await concluded(target)
                    except Exception as error:
                        error.add_note(f"{path} {place}: {stage.odd[:60]}")
                        raise
    assert len(done) > 150


# Files


def test_any_value_in_our_own_files(tmp_path: Path) -> None:
    config, bundle = tmp_path / "config.toml", tmp_path / "bundle.pem"
    west, root = Environment("West", "https://management.west.example"), authority().root.der
    record = StampRecord(west.arm, "https://login.test", "a", datetime.now(UTC), root)
    assert write_record(config, west, record) == ""
    assert remember(bundle, [root]) == ""
    operation = deletion_of(config, west, "s", "rg", "/subscriptions/s/resourceGroups/rg")
    operations.remember(operation)
    stamps, additions, begun = (
        json.loads(each().read_bytes()) for each in (stamps_file, additions_file, operations_file)
    )
    for odd in ODD:
        for place in places(stamps):
            stamps_file().write_text(replaced(stamps, place, odd))
            with suppress(RecordError):
                found = read_record(config, west)
                assert found is None or found.arm == west.arm
            assert write_record(config, west, None).isprintable()
        for place in places(additions):
            additions_file().write_text(replaced(additions, place, odd))
            assert read_additions().trouble.isprintable()
            assert remember(bundle, [root]).isprintable()
        for place in places(begun):
            operations_file().write_text(replaced(begun, place, odd))
            with suppress(OperationsFileError):
                for each in operations.remembered(config, west):
                    operations.forget(each)


# As TOML. Strings are JSON's, but for lone surrogates.
TOML = (*(each for each in ODD if each not in ("null", "NaN", "1e999", r'"\ud800"')),
        "nan", "-inf", "1979-05-27T07:32:00Z", "07:32:00")  # fmt: skip


def _values(text: str) -> Iterator[tuple[str, str]]:
    """What stands before and after each value of a TOML text; its lists and tables are values."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        key, equals, _ = line.partition("= ")
        if equals:
            yield "".join((*lines[:number], key, equals)), "\n" + "".join(lines[number + 1 :])


def test_any_value_in_the_config(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    text = (
        'active = "West"\ntheme = "dark"\n[environments.West]\narm = "https://west.test"\n'
        'profile = "2020-09-01-hybrid"\nidentity = "i"\nsubscription = "s"\nca = "ca.pem"\n'
        'proxy = "none"\nresolve = { }\nlimits = { }\n[environments.East]\narm = "https://e.test"\n'
        'resolve."a:1" = "b:1"\nlimits.step = 5\nlimits.rows = 7\n[identities.i]\n'
        'kind = "service-principal"\ntenant = "t"\nclient_id = "c"\nsecret = { env = "SECRET" }\n'
        '[identities.j]\nkind = "service-principal"\nclient_id = "c"\nsecret.file = "f"\n'
        '[identities.k]\nkind = "user"\nusername = "u"\npassword.env = "P"\n'
        '[identities.l]\nkind = "managed-identity"\nresource_id = "r"\n'
    )
    for before, after in _values(text):
        for odd in TOML:
            path.write_text(before + odd + after, encoding="utf-8")
            ran = stacktui("environments", "show", "--config", path, "--format", "json")
            assert ran.code in (0, 2), (before[-40:], odd[:60], ran)
            assert all(line.isprintable() for line in ran.err.splitlines())


def test_any_value_in_a_theme(tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    for before, after in _values('name = "odd"\ndark = true\n[colours]\ntext = "#ffffff"\n'):
        for odd in TOML:
            path.write_text(before + odd + after, encoding="utf-8")
            with pytest.raises(ThemeError) as caught:  # of all the colours, it has one
                read_theme(path)
            assert str(caught.value).isprintable()


@pytest.mark.parametrize("odd", [each for each in ODD if len(each) < 500])
def test_any_value_is_no_message_that_ends_explain(odd: str) -> None:
    error = f'{{"error": {odd}, "error_description": {odd}}}'
    for said in (odd, error, f'{{"error": {{"code": {odd}}}}}'):
        assert stacktui("explain", f" {said}").code in (0, 1, 2)
