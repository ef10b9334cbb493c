"""Whatever a server says, byte by byte, a check ends in a report that can be shown.

What the transport makes of a body, and each reader of its document, is proved beside them; here it
is the check as a whole: from the bytes to the verdict, its JSON and its Markdown.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stacktui.check.events import CheckFinished
from stacktui.check.report import Report
from stacktui.check.runner import run
from stacktui.check.settings import load_settings
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.document import report_document
from stacktui.diagnosis.finding import Diagnosis
from stacktui.diagnosis.markdown import report_markdown
from stacktui.text.sanitize import escape_control_chars
from tests.diagnosis.servers import Script, config_for, scripted
from tests.support.authority import Authority, Issued, authority, issue, localhost, server_context
from tests.support.draws import draws
from tests.support.listeners import Handler, listening
from tests.support.web import Asked, Raw, answer

pytestmark = pytest.mark.exhaustive

MIB = 1024 * 1024
STEP = 2.0
# Whose answer is odd: each question of a check, in their order.
QUESTIONS = {
    "metadata": "/metadata/endpoints",
    "discovery": "/adfs/.well-known/openid-configuration",
    "token": "/adfs/oauth2/token",
    "groups": "",
}


@dataclass
class Odd(Script):
    """A good stamp, but for one answer."""

    question: str = "metadata"
    odd: Raw = field(default_factory=lambda: Raw(b""))

    def answer(self, asked: Asked) -> Raw:
        path = asked.target.partition("?")[0]
        names = [name for name, known in QUESTIONS.items() if known == path] or ["groups"]
        return self.odd if self.question in names else super().answer(asked)


async def checked(folder: Path, arm: str, *roots: Issued) -> tuple[Report, Diagnosis]:
    """The report on a server, and its diagnosis, after both were written in every form."""
    target = load_settings(config_for(folder, arm, roots=roots), {"step": STEP}).target()
    started = time.monotonic()
    last = [event async for event in run(target)][-1]
    assert isinstance(last, CheckFinished)
    report, diagnosis = last.report, diagnose(last.report)
    assert json.dumps(report_document(report, diagnosis), allow_nan=False)
    assert report_markdown(report, diagnosis)
    for found in filter(None, (diagnosis.verdict, *diagnosis.also_seen)):
        lines = (found.title, *found.evidence, *(each.bash for each in found.remedies))
        assert all(line == escape_control_chars(line) for line in lines)
    assert time.monotonic() - started < 2 * STEP + 3
    return report, diagnosis


async def verdict_on(folder: Path, question: str, odd: Raw) -> str:
    async with scripted(Odd(question=question, odd=odd)) as web:
        _, diagnosis = await checked(folder, web.url)
    return diagnosis.verdict.id if diagnosis.verdict else ""


async def verdict_in(folder: Path, question: str, odd: Raw) -> str:
    """The same beside others: in a folder of its own."""
    place = Path(tempfile.mkdtemp(dir=folder))
    return await verdict_on(place, question, odd)


def ok(body: bytes) -> Raw:
    return answer(body, Content_Type="application/json")


@cache
def bomb() -> bytes:
    """4 GiB in 4 MiB: 64 times the same packed 64 MiB."""
    pack = zlib.compressobj(9, wbits=31)
    return (b"".join(pack.compress(bytes(MIB)) for _ in range(64)) + pack.flush()) * 64


def whole() -> dict[str, Raw]:
    return {
        "a bomb": answer(bomb(), Content_Encoding="gzip"),
        "a promise": Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\n", "hang"),
        "lists in lists": LISTS,
        "objects in objects": ok(b'{"a":' * LEVELS + b"1" + b"}" * LEVELS),
        "a number": ok(b'{"value": ' + b"9" * 100_000 + b"}"),
        "a name": ok(b'{"%s": 1}' % (b"x" * 500_000)),
        "NULs": ok(bytes(100_000)),
    }


LEVELS = 10_000
LISTS = ok(b"[" * LEVELS + b"]" * LEVELS)
NOT_JSON = ("metadata-not-json", "login-not-json", "login-not-json", "arm-not-json")
# What is JSON, and what is too large, is reported of the metadata alone.
HUGE = {
    "a bomb": ("metadata-too-large",),
    "a promise": ("metadata-timeout", "login-timeout", "login-timeout", "arm-timeout"),
    "a name": ("metadata-incomplete",),
    **dict.fromkeys(("lists in lists", "objects in objects", "a number", "NULs"), NOT_JSON),
}


@pytest.mark.parametrize("what", HUGE)
async def test_what_is_huge_is_named(what: str, tmp_path: Path) -> None:
    odd = whole()[what]
    if what == "a promise":  # each takes its whole step
        runs = [verdict_in(tmp_path, question, odd) for question in QUESTIONS]
        found = list(await asyncio.gather(*runs))
    else:
        found = [await verdict_on(tmp_path, question, odd) for question in QUESTIONS]
    assert all(found)
    assert tuple(found[: len(HUGE[what])]) == HUGE[what]


def head(*lines: bytes, body: bytes = b"{}") -> Raw:
    return Raw(b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", body]), "close")


NONSENSE = {
    "nothing": Raw(b"", "close"),
    "a reset": Raw(b"HTTP/1.1 200 OK\r\n", "reset"),
    "another protocol": Raw(b"SSH-2.0-x\r\n\r\n", "close"),
    "HTTP/9.9": Raw(b"HTTP/9.9 200 OK\r\n\r\n{}", "close"),
    "a status of four digits": Raw(b"HTTP/1.1 2000 OK\r\n\r\n{}", "close"),
    "a status below all": Raw(b"HTTP/1.1 001 OK\r\n\r\n{}", "close"),
    "two lengths": head(b"Content-Length: 2", b"Content-Length: 3"),
    "a length below nothing": head(b"Content-Length: -1"),
    "a length of 5,000 digits": head(b"Content-Length: " + b"9" * 5000),
    "length and chunks": head(
        b"Content-Length: 9", b"Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\n\r\n"
    ),
    "chunk extensions": head(
        b"Transfer-Encoding: chunked", body=b'2;a="b\x01c";d\r\n{}\r\n0;e\r\nX: y\r\n\r\n'
    ),
    "an endless chunk extension": head(b"Transfer-Encoding: chunked", body=b"2;" + b"x" * 400_000),
    "a chunk below nothing": head(b"Transfer-Encoding: chunked", body=b"-2\r\n{}\r\n0\r\n\r\n"),
    "a giant chunk": head(b"Transfer-Encoding: chunked", body=b"fffffffffffffff\r\n{}"),
    "thousands of headers": head(*(b"X-%d: y" % number for number in range(5000))),
    "a thousand headers": head(*(b"X-%d: y" % number for number in range(1000))),
    "an endless header": head(b"X: " + b"y" * 400_000),
    "a NUL in a header": head(b"X: a\0b"),
    "no colon": head(b"nonsense"),
    "a folded header": head(b"X: a\r\n b"),
    "odd dates and waits": head(
        b"Date: \xff\x1b[2J",
        b"Retry-After: -9e999",
        b"Location: \x1b]0;x\x07",
        b"Via: \xe2\x80\xae",
    ),
    "interim answers": Raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 500, "close"),
    "a switch of protocols": Raw(b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n\0\0", "close"),
    "an encoding that is none": head(b"Content-Encoding: br, gzip", body=b"{}"),
    "gzip that breaks off": head(b"Content-Encoding: gzip", body=b"\x1f\x8b\x08\0\0\0\0\0"),
    "gzip that is none": head(b"Content-Encoding: gzip", body=b"{}"),
}


@pytest.mark.parametrize("what", NONSENSE)
async def test_nonsense_in_http_is_a_report(what: str, tmp_path: Path) -> None:
    for question in QUESTIONS:
        assert await verdict_on(tmp_path, question, NONSENSE[what]), question


def dripping(before: bytes, after: bytes) -> Raw:
    return Raw([before, *(bytes([each]) for each in after)], pause=0.2)


async def test_who_drips_takes_no_longer_than_a_step(tmp_path: Path) -> None:
    """Five bytes a second, for a tenth of the usual bound; all at once."""
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"{" + b" " * 100
    cases = [(question, cut) for question in QUESTIONS for cut in (0, 20, 50)]

    started = time.monotonic()
    found = await asyncio.gather(
        *(
            verdict_in(tmp_path, question, dripping(said[:cut], said[cut:]))
            for question, cut in cases
        )
    )
    assert time.monotonic() - started < 3 * STEP + 3
    assert all(each.endswith("-timeout") for each in found), found


GOOD = {
    "metadata": b'{"authentication": {"loginEndpoint": "https://h/adfs", "audiences": ["a"]}}',
    "discovery": b'{"issuer": "https://h", "token_endpoint": "https://h/t"}',
    "token": b'{"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 3600}',
    "groups": b'{"value": [{"name": "a", "location": "b", "properties": {}}], "nextLink": "x"}',
}
STATUSES = ("200 OK", "204 No", "302 Found", "400 Bad", "401 No", "403 No", "404 No", "407 Proxy",
            "429 Slow", "500 Oh", "503 Later", "599 Odd", "200 \x1b[2J")  # fmt: skip


@st.composite
def changed(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes with a piece replaced by any other."""
    start = draw(st.integers(0, len(whole)))
    end = draw(st.integers(start, len(whole)))
    return whole[:start] + draw(st.binary(max_size=12)) + whole[end:]


ODD = {
    question: st.tuples(
        st.just(question), st.sampled_from(STATUSES), st.binary(max_size=200) | changed(good)
    )
    for question, good in GOOD.items()
}


@settings(max_examples=draws(50), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(odd=st.one_of(*ODD.values()))
@example(odd=("token", "200 OK", b'{"access_token": 7, "expires_in": "soon"}'))
@example(odd=("groups", "200 OK", b'{"value": [{"name": null}, 7, {}], "nextLink": 0}'))
def test_any_body_with_any_status_is_a_report(odd: tuple[str, str, bytes], tmp_path: Path) -> None:
    question, status, body = odd
    asyncio.run(verdict_on(tmp_path, question, answer(body, status=status)))


@settings(max_examples=draws(40), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    question=st.sampled_from(list(QUESTIONS)),
    said=st.binary(max_size=200) | changed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
)
def test_any_bytes_for_an_answer_are_a_report(question: str, said: bytes, tmp_path: Path) -> None:
    asyncio.run(verdict_on(tmp_path, question, Raw(said, "close")))


# Certificates


async def presented(folder: Path, context: ssl.SSLContext, *roots: Issued) -> tuple[Report, str]:
    async with scripted(Script(), context) as web:
        report, diagnosis = await checked(folder, web.url, *roots)
    return report, diagnosis.verdict.id if diagnosis.verdict else ""


@cache
def strangers() -> tuple[Issued, ...]:
    return tuple(issue(f"Stranger {number}", (), None) for number in range(20))


async def test_a_hundred_certificates_in_a_chain(tmp_path: Path) -> None:
    below = b"".join(each.pem for each in strangers()) * 5
    report, found = await presented(tmp_path, server_context(localhost(), below))
    assert found == "unexplained" or found.startswith("tls-")
    assert report.failed is not None


async def test_a_chain_of_a_hundred_in_which_each_signs_the_next(tmp_path: Path) -> None:
    made = [authority().root]
    for number in range(100):
        made.append(issue(f"CA {number}", (), made[-1]))
    leaf = issue("localhost", ("localhost",), made[-1])
    below = b"".join(each.pem for each in reversed(made))
    context = server_context(leaf, below)
    _, trusted = await presented(tmp_path, context)
    _, unknown = await presented(tmp_path, context, strangers()[0])
    assert (trusted, bool(unknown)) == ("", True)


@pytest.mark.parametrize("number", [1000, 10_000])
async def test_a_certificate_of_thousands_of_names(number: int, tmp_path: Path) -> None:
    names = tuple(f"host-{each}.contoso.example" for each in range(number))
    signer = authority()
    leaf = issue(names[0], names, signer.intermediate)
    report, found = await presented(tmp_path, signer.server(leaf))
    # OpenSSL takes no more than 100 KiB of certificates.
    assert found == ("tls-name-mismatch" if number == 1000 else "unexplained"), found
    document = json.dumps(report_document(report, diagnose(report)))
    assert len(document) < 200_000


@cache
def _bases() -> tuple[bytes, ...]:
    signer: Authority = authority()
    return signer.intermediate.der, signer.root.der


def _pem(der: bytes) -> bytes:
    return ssl.DER_cert_to_PEM_cert(der).encode()


@settings(max_examples=draws(40), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    ders=st.lists(
        st.sampled_from(_bases()).flatmap(
            lambda der: st.builds(
                lambda at, byte: der[:at] + bytes([byte]) + der[at + 1 :],
                st.integers(4, len(der) - 1),
                st.integers(0, 255),
            )
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_certificate_that_a_server_can_present_is_a_report(
    ders: list[bytes], tmp_path: Path
) -> None:
    try:
        context = server_context(localhost(), b"".join(map(_pem, ders)))
    except (ssl.SSLError, OSError, ValueError):
        return  # OpenSSL would not send it
    asyncio.run(presented(tmp_path, context))


def _saying_chain(*ders: bytes) -> Handler:
    """The first words of a TLS 1.2 server (RFC 5246 section 7.4), with a chain of any bytes."""

    def message(kind: int, body: bytes) -> bytes:
        return bytes([kind]) + len(body).to_bytes(3) + body

    listed = b"".join(len(each).to_bytes(3) + each for each in ders)
    hello = b"\x03\x03" + bytes(32) + b"\0" + b"\xc0\x2f" + b"\0" + b"\0\x05\xff\x01\0\x01\0"
    said = message(2, hello) + message(11, len(listed).to_bytes(3) + listed) + message(14, b"")

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        for start in range(0, len(said), 16384):
            part = said[start : start + 16384]
            writer.write(b"\x16\x03\x03" + len(part).to_bytes(2) + part)
        await writer.drain()
        await reader.read(65536)

    return handler


@settings(max_examples=draws(40), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(ders=st.lists(st.binary(max_size=60), max_size=4))
@example(ders=[])
@example(ders=[b""])
@example(ders=[b"\x30\x80" * 500])
@example(ders=[b"\x30\x84\xff\xff\xff\xff"])
@example(ders=[localhost().der] * 100)
def test_any_bytes_for_a_chain_are_a_report(ders: list[bytes], tmp_path: Path) -> None:
    async def one() -> None:
        async with listening(_saying_chain(*ders)) as listener:
            _, diagnosis = await checked(tmp_path, listener.url)
        assert diagnosis.verdict is not None

    asyncio.run(one())


# As a process


def _peak(command: list[str]) -> tuple[subprocess.CompletedProcess[str], int]:
    """A finished process, and the most memory that it had, in bytes."""
    watched = (
        "import resource, subprocess, sys\n"
        "code = subprocess.run(sys.argv[1:]).returncode\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watched, *command], capture_output=True, text=True, check=False
    )
    *_, peak = done.stderr.splitlines()
    return done, int(peak) * (1 if sys.platform == "darwin" else 1024)


def _flood(part: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\n"
    while True:
        yield part


@pytest.mark.parametrize("what", ["a bomb", "a flood", "lists in lists"])
@pytest.mark.parametrize("question", ["metadata", "groups"])
async def test_memory_stays_small(what: str, question: str, tmp_path: Path) -> None:
    odd = {
        "a bomb": answer(bomb(), Content_Encoding="gzip"),
        "a flood": Raw(_flood(b"[" * 65536)),
        "lists in lists": LISTS,
    }[what]
    check = [sys.executable, "-m", "stacktui", "check", "--format", "json", "--config"]
    async with scripted(Odd(question=question, odd=odd)) as web:
        config = config_for(tmp_path, web.url)
        done, peak = await asyncio.to_thread(_peak, [*check, str(config)])
    assert done.returncode == 1, done
    assert json.loads(done.stdout)["verdict"]
    assert peak < 200 * MIB
