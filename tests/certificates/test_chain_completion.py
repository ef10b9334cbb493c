"""What is missing of a chain: had from a store or from an address, or honestly not had."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacktui.certificates import chain, stores
from stacktui.certificates.chain import issued_by, path_of
from stacktui.certificates.chain_completion import MAX_SIZE, ChainCompletion, complete_chain
from stacktui.certificates.roots import root_of
from stacktui.certificates.stores import Store, StoreKind
from stacktui.certificates.trust import TrustSource, TrustUsed
from stacktui.transport import aia_fetch
from stacktui.transport.aia_fetch import fetch_public
from tests.support.authority import DAY, Issued, authority, issue, localhost
from tests.support.draws import draws
from tests.support.listeners import closed_port, listening, silent
from tests.support.names import resolver_that_hangs, resolving
from tests.support.publishing import FORMS, PLACE, leading_to, naming, published, signed_by
from tests.support.web import Raw, Web, answer, serving_plain

ROOT, INTERMEDIATE = authority().root, authority().intermediate
OTHER = authority("Fabrikam").root
LEAF = localhost()
HOST, PORT = "localhost", 8443
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def _no_stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The `az` of this machine is not a store here, nor its waagent's."""
    monkeypatch.setattr(stores, "find_azure_clis", lambda **_: ())
    monkeypatch.setattr(stores, "WAAGENT", tmp_path / "no" / "waagent.pem")


def in_use(folder: Path, *roots: Issued) -> TrustUsed:
    """A store in use that holds these alone."""
    path = folder / "in-use.pem"
    path.write_bytes(b"".join(each.pem for each in roots or (OTHER,)))
    return TrustUsed((TrustSource("ca", str(path)),))


async def nothing(url: str) -> bytes | str:
    raise AssertionError(f"{url} was asked for")


async def completed(
    folder: Path,
    *chain: Issued | bytes,
    roots: Sequence[Issued] = (),
    by: object = None,
    at: Web | None = None,
) -> ChainCompletion:
    """The completion of a chain, with the real way to fetch unless another is given.

    Certificates are published `at` that server.
    """
    ders = [each if isinstance(each, bytes) else each.der for each in chain]

    async def fetch(url: str) -> bytes | str:
        return await fetch_public(url, MAX_SIZE, "none", leading_to(at) if at else {})

    return await complete_chain(HOST, PORT, ders, in_use(folder, *roots), by or fetch)  # type: ignore[arg-type]


# From a store of this machine


@pytest.mark.parametrize("store", ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "waagent"])
async def test_a_store_of_this_machine_has_the_intermediate(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.pem"
    path.write_bytes(OTHER.pem + INTERMEDIATE.pem)
    if store == "waagent":
        monkeypatch.setattr(stores, "WAAGENT", path)
    else:
        monkeypatch.setenv(store, str(path))
    found = await completed(tmp_path, LEAF, roots=[ROOT], by=nothing)
    assert (found.host, found.port) == (HOST, PORT)
    assert [(each.der, each.where) for each in found.found] == [(INTERMEDIATE.der, (store,))]
    assert found.trusted
    assert (found.holders, found.unanswered) == ((), ())


async def test_a_root_in_another_store_is_found_but_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.pem"
    path.write_bytes(ROOT.pem + INTERMEDIATE.pem)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))
    found = await completed(tmp_path, LEAF, by=nothing)
    assert [each.der for each in found.found] == [INTERMEDIATE.der, ROOT.der]
    assert found.holders == ("CURL_CA_BUNDLE",)
    assert not found.trusted


async def test_a_presented_root_is_searched_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.pem"
    path.write_bytes(ROOT.pem)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))
    found = await completed(tmp_path, LEAF, INTERMEDIATE, ROOT, by=nothing)
    assert (found.found, found.holders, found.trusted) == ((), ("CURL_CA_BUNDLE",), False)


async def test_an_intermediate_in_the_store_in_use_is_gone_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.pem"
    path.write_bytes(ROOT.pem)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))
    found = await completed(tmp_path, LEAF, roots=[INTERMEDIATE], by=nothing)
    assert [(each.der, each.where) for each in found.found] == [
        (INTERMEDIATE.der, ("the store in use",)),
        (ROOT.der, ("CURL_CA_BUNDLE",)),
    ]
    assert (found.holders, found.trusted) == (("CURL_CA_BUNDLE",), False)


async def test_what_only_has_the_issuers_name_is_not_its_issuer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = naming("Contoso Issuing CA", ROOT)
    path = tmp_path / "store.pem"
    path.write_bytes(twin.pem)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))
    assert (await completed(tmp_path, LEAF, roots=[ROOT], by=nothing)).found == ()
    path.write_bytes(twin.pem + INTERMEDIATE.pem)
    (found,) = (await completed(tmp_path, LEAF, roots=[ROOT], by=nothing)).found
    assert found.der == INTERMEDIATE.der


UNUSABLE = {"empty": b"", "html": b"<html>", "der": b"\x30\x82\xff\xff", "cut off": LEAF.pem[:300]}


@pytest.mark.parametrize("what", UNUSABLE)
async def test_a_store_that_cannot_be_used_is_passed_over(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = tmp_path / "bad.pem", tmp_path / "good.pem"
    bad.write_bytes(UNUSABLE[what])
    good.write_bytes(INTERMEDIATE.pem)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(bad))
    monkeypatch.setenv("SSL_CERT_FILE", str(good))
    (found,) = (await completed(tmp_path, LEAF, roots=[ROOT], by=nothing)).found
    assert found.where == ("SSL_CERT_FILE",)


async def test_a_root_that_cannot_be_loaded_any_more_is_not_trusted(tmp_path: Path) -> None:
    trust = TrustUsed((TrustSource("ca", str(tmp_path / "gone.pem")),))

    async def fetch(_url: str) -> bytes | str:
        return INTERMEDIATE.der

    leaf = naming("localhost", INTERMEDIATE, "http://ca.example/1", names=[HOST])
    found = await complete_chain(HOST, PORT, [leaf.der], trust, fetch)
    assert ([each.der for each in found.found], found.trusted) == ([INTERMEDIATE.der], False)


@pytest.mark.parametrize(("host", "trusted"), [("localhost", True), ("other.example", False)])
async def test_trusted_means_by_the_store_in_use_for_this_host(
    host: str, trusted: bool, tmp_path: Path
) -> None:
    leaf = naming("localhost", INTERMEDIATE, "http://ca.example/1", names=["localhost"])

    async def fetch(_url: str) -> bytes | str:
        return INTERMEDIATE.pem

    found = await complete_chain(host, PORT, [leaf.der], in_use(tmp_path, ROOT), fetch)
    assert found.trusted == trusted


async def test_an_expired_intermediate_makes_no_chain_good(tmp_path: Path) -> None:
    old = issue("Old Issuing CA", (), ROOT, starts=-9 * DAY, ends=-2 * DAY)
    leaf = naming("localhost", old, "http://ca.example/1", names=[HOST])

    async def fetch(_url: str) -> bytes | str:
        return old.der

    found = await completed(tmp_path, leaf, roots=[ROOT], by=fetch)
    assert ([each.der for each in found.found], found.trusted) == ([old.der], False)


# From an address


@pytest.mark.parametrize("form", FORMS)
async def test_the_address_of_the_issuer_is_asked(form: str, tmp_path: Path) -> None:
    body = published(form, INTERMEDIATE, *([OTHER] if form != "der" else []))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it would stand on stderr, under the dashboard
        async with serving_plain(answer(body)) as web:
            url = f"{PLACE}/ca.crt"
            leaf = naming("localhost", INTERMEDIATE, url, names=[HOST])
            found = await completed(tmp_path, leaf, roots=[ROOT], at=web)
            (asked,) = web.asked
    assert [(each.der, each.where) for each in found.found] == [(INTERMEDIATE.der, (url,))]
    assert (found.trusted, found.unanswered) == (True, ())
    assert (asked.method, asked.target, asked.body) == ("GET", "/ca.crt", b"")
    assert {"authorization", "cookie"}.isdisjoint(asked.headers)


async def test_a_chain_of_addresses_is_followed_to_the_root(tmp_path: Path) -> None:
    said: dict[str, bytes] = {}
    async with serving_plain(lambda asked: answer(said[asked.target])) as web:
        root = naming("Tailspin Root", None)
        first = naming("Tailspin CA 1", root, f"{PLACE}/root")
        second = naming("Tailspin CA 2", first, f"{PLACE}/first")
        leaf = naming("localhost", second, f"{PLACE}/second", names=[HOST])
        said |= {"/root": root.der, "/first": first.der, "/second": second.der}
        found = await completed(tmp_path, leaf, roots=[root], at=web)
        unknown = await completed(tmp_path, leaf, at=web)
    assert [each.der for each in found.found] == [second.der, first.der]
    assert [each.der for each in unknown.found] == [second.der, first.der, root.der]
    assert (found.trusted, unknown.trusted) == (True, False)


async def test_the_second_address_is_asked_and_no_third(tmp_path: Path) -> None:
    async with serving_plain(answer(b"", status="404 Not Found")) as web:
        urls = [f"{PLACE}/{number}" for number in range(5)]
        leaf = naming("localhost", INTERMEDIATE, "ldap:///CN=ca", *urls, names=[HOST])
        found = await completed(tmp_path, leaf, roots=[ROOT], at=web)
        assert [each.target for each in web.asked] == ["/0", "/1"]
    assert found.found == ()
    assert found.unanswered == tuple(f"{url}: status 404" for url in urls[:2])


WRONG = {
    "nothing": b"",
    "html": b"<html>Welcome</html>",
    "garbage": bytes(range(256)) * 10,
    "a certificate of somebody else": OTHER.der,
    "the leaf itself": LEAF.der,
    "one of the same name": naming("Contoso Issuing CA", ROOT).der,
    "a broken PKCS#7": published("pkcs7-der", INTERMEDIATE)[:-40],
    "PEM cut off": INTERMEDIATE.pem[:300],
    "sequences without end": b"\x30\x80" * 5000,
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_not_the_issuer_is_reported_not_believed(what: str, tmp_path: Path) -> None:
    async with serving_plain(answer(WRONG[what])) as web:
        leaf = naming("localhost", INTERMEDIATE, PLACE, names=[HOST])
        found = await completed(tmp_path, leaf, roots=[ROOT], at=web)
    assert (found.found, found.trusted) == ((), False)
    assert found.unanswered == (f"{PLACE}: not the certificate of its issuer",)


@settings(max_examples=draws(80), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    body=st.binary(max_size=300)
    | st.sampled_from([published(form, INTERMEDIATE) for form in FORMS]).flatmap(
        lambda good: st.builds(
            lambda at, byte: good[:at] + bytes([byte]) + good[at + 1 :],
            st.integers(0, len(good) - 1),
            st.integers(0, 255),
        )
    )
)
def test_any_bytes_from_an_address_are_harmless(body: bytes, tmp_path: Path) -> None:
    leaf = naming("localhost", INTERMEDIATE, "http://ca.example/1", names=[HOST])

    async def fetch(_url: str) -> bytes | str:
        return body

    found = asyncio.run(completed(tmp_path, leaf, roots=[ROOT], by=fetch))
    assert len(found.found) + len(found.unanswered) == 1


@settings(max_examples=draws(40), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    chain=st.lists(
        st.binary(max_size=60) | st.sampled_from([LEAF.der, INTERMEDIATE.der, ROOT.der, b""]),
        max_size=12,
    )
)
def test_any_chain_can_be_followed(chain: list[bytes], tmp_path: Path) -> None:
    async def fetch(_url: str) -> bytes | str:
        return "nobody there"

    found = asyncio.run(completed(tmp_path, *chain, by=fetch))
    assert isinstance(found, ChainCompletion)


async def test_certificates_that_sign_each_other_are_no_way_up(tmp_path: Path) -> None:
    said: dict[str, bytes] = {}
    async with serving_plain(lambda asked: answer(said[asked.target])) as web:
        one = naming("Ring 1", None, f"{PLACE}/two", issuer_name="Ring 2")
        two = naming("Ring 2", one, f"{PLACE}/one")
        # The first again, now signed by the second: the ring is closed.
        closed = signed_by(one, two, f"{PLACE}/two")
        leaf = naming("localhost", closed, f"{PLACE}/one", names=[HOST])
        said |= {"/one": closed.der, "/two": two.der}
        found = await completed(tmp_path, leaf, roots=[ROOT], at=web)
        assert len(web.asked) <= 3
        assert replace(found, found=()) == ChainCompletion(HOST, PORT, ())
    assert [each.der for each in found.found] == [closed.der, two.der]


async def test_a_way_up_without_end_is_left(tmp_path: Path) -> None:
    """Each certificate names one more above it."""
    made = [naming("Tower 30", None)]
    for number in range(29, 0, -1):
        made.append(naming(f"Tower {number}", made[-1], f"http://ca.example/{number + 1}"))
    by_url = {f"http://ca.example/{30 - at}": each.der for at, each in enumerate(made)}
    asked: list[str] = []

    async def fetch(url: str) -> bytes | str:
        asked.append(url)
        return by_url[url]

    leaf = naming("localhost", made[-1], "http://ca.example/1", names=[HOST])
    found = await completed(tmp_path, leaf, by=fetch)
    assert len(asked) == len(found.found) == 4


# The way to public data


async def fetched(web: Web | int, limit: int = MAX_SIZE, proxy: str | None = "none") -> bytes | str:
    """What is had of this server, or from that port of this machine."""
    return await fetch_public(PLACE, limit, proxy, leading_to(web))


@contextmanager
def shortened(monkeypatch: pytest.MonkeyPatch, step: float, whole: float):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(aia_fetch, "_SECONDS", step)
    monkeypatch.setattr(aia_fetch, "_WHOLE", whole)
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://h/x", "https://localhost/x", "ldap:///CN=x", "gopher://h", "",
        "http:", "http://", "http://[", "http://[::1", "http://h:99999999/", "http://h:x/",
        "//h/x", "http:///x", "\0", "http://\u2100/", "http://h/\udcff", "data:,x", "x" * 70_000,
        "http://" + "x" * 5000 + "/", "http://a..b/", "http://-/", "http://user:pw@[/",
    ],
)  # fmt: skip
async def test_what_is_no_http_address_is_not_asked(url: str) -> None:
    found = await fetch_public(url, MAX_SIZE, "none")
    assert isinstance(found, str)
    assert 0 < len(found) < 80


@settings(max_examples=draws(80), deadline=None)
@given(st.text(max_size=30) | st.text(max_size=20).map("http://[".__add__))
def test_any_text_is_an_address_or_is_refused(url: str) -> None:
    if "://" in url.lower() or "@" in url:  # nobody out there is to be asked
        url = url.replace("h", "x", 1)
    assert isinstance(asyncio.run(fetch_public(url, MAX_SIZE, "none")), str)


async def test_a_body_is_whole_up_to_the_limit_and_no_byte_more() -> None:
    async with serving_plain(answer(b"x" * 1000)) as web:
        assert await fetched(web, 1000) == b"x" * 1000
        assert await fetched(web, 999) == "more than 999 bytes"


async def test_a_giant_body_is_given_up_in_little_memory() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\n"
    piece = b"x" * MIB
    async with serving_plain(Raw([head, *[piece] * 10])) as web:
        tracemalloc.start()
        try:
            found = await fetched(web)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert found == f"more than {MAX_SIZE} bytes"
    assert peak < 8 * MIB


async def test_a_redirect_is_not_followed() -> None:
    async with (
        serving_plain(answer(INTERMEDIATE.der)) as there,
        serving_plain(answer(status="302 Found", Location=there.url)) as web,
    ):
        assert await fetched(web) == "status 302"
        assert there.asked == []


async def test_a_compressed_body_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(64 * MIB))
    async with serving_plain(answer(bomb, Content_Encoding="gzip")) as web:
        assert await fetched(web) == bomb
        assert web.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-x\r\n", b"HTTP/9.9 huh\r\n\r\n", b"\0" * 100])
async def test_what_speaks_no_http_is_reported(said: bytes) -> None:
    async with serving_plain(Raw(said, "close")) as web:
        found = await fetched(web)
    assert isinstance(found, str)


async def test_a_closed_port_and_an_unknown_name_are_reported() -> None:
    with closed_port() as port:
        found = await fetched(port)
    assert found == "cannot be reached"
    found = await fetch_public("http://nowhere.invalid/", MAX_SIZE, "none")
    assert isinstance(found, str)


async def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(silent) as listener:
        with shortened(monkeypatch, 0.2, 5):
            found = await fetched(listener.port)
    assert found == "no answer in 0.2 s"


async def test_a_byte_now_and_then_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
    async with serving_plain(Raw([head, *([b"x"] * 500)], pause=0.05)) as web:
        with shortened(monkeypatch, 1, 0.5):
            found = await fetched(web)
    assert found == "no whole answer in 0.5 s"


def test_a_resolver_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with resolver_that_hangs(monkeypatch), shortened(monkeypatch, 0.2, 5):
        found = asyncio.run(fetch_public("http://ca.example/x", MAX_SIZE, "none"))
    assert isinstance(found, str)


async def test_a_cancelled_fetch_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(silent) as listener:
        task = asyncio.create_task(fetched(listener.port))
        await asyncio.wait_for(listener.arrived.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(listener.all_closed.wait(), 5)


BROKEN = {
    "SSL_CERT_FILE": "/no/such/file.pem",
    "HTTPS_PROXY": "socks5://127.0.0.1:9",
    "https_proxy": "nonsense://[",
    "SSLKEYLOGFILE": "/no/such/folder/keys",
}


@pytest.mark.parametrize("variable", BROKEN)
async def test_a_variable_that_is_no_concern_does_no_harm(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, BROKEN[variable])
    async with serving_plain(answer(b"hello")) as web:
        assert await fetched(web, proxy=None) == b"hello"


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:9", "foo://x", "http://[", "http://a b"])
@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY", "setting"])
async def test_a_proxy_that_cannot_be_used_is_reported(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = value if variable == "setting" else None
    if setting is None:
        monkeypatch.setenv(variable, value)
    async with serving_plain(answer(b"hello")) as web:
        assert isinstance(await fetched(web, proxy=setting), str)
        assert web.asked == []


@pytest.mark.parametrize("by", ["http_proxy", "setting"])
@pytest.mark.parametrize("user", ["", "user:pass%20word@"])
async def test_a_proxy_is_asked_in_its_way(
    by: str, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that only the proxy knows are its to look up."""
    async with serving_plain(answer(INTERMEDIATE.der)) as proxy:
        address = proxy.url.replace("http://", f"http://{user}")
        if by == "http_proxy":
            monkeypatch.setenv("http_proxy", address)
        setting = address if by == "setting" else None
        found = await fetch_public("http://nowhere.invalid/ca.crt", MAX_SIZE, setting)
        (asked,) = proxy.asked
    assert found == INTERMEDIATE.der
    assert asked.target == "http://nowhere.invalid/ca.crt"
    sent = asked.headers.get("proxy-authorization")
    assert sent == ("Basic dXNlcjpwYXNzIHdvcmQ=" if user else None)


async def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with serving_plain(answer(b"hello")) as web:
        assert await fetched(web, proxy=None) == "cannot be reached"
        assert await fetched(web) == b"hello"
        monkeypatch.setenv("no_proxy", "ca.tailspin.test")
        assert await fetched(web, proxy=None) == b"hello"


# Whom nobody may be sent to

NEAR = (
    "127.0.0.1", "127.1", "2130706433", "localhost", "0.0.0.0", "0", "169.254.169.254",
    "224.0.0.1", "[::1]", "[::]", "[fe80::1%25eth0]", "[ff02::1]", "[::ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
)  # fmt: skip


@pytest.mark.parametrize("host", NEAR)
async def test_this_machine_and_its_link_are_not_asked(host: str) -> None:
    found = await fetch_public(f"http://{host}:8080/x", MAX_SIZE, "none")
    assert found == "an address of this machine or its link is not asked"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "localhost", "a.localhost", "169.254.1.1"])
async def test_nor_by_a_proxy(host: str) -> None:
    async with serving_plain(answer(b"hello")) as proxy:
        found = await fetch_public(f"http://{host}/x", MAX_SIZE, proxy.url)
        assert proxy.asked == []
    assert found == "an address of this machine or its link is not asked"


async def test_of_a_names_addresses_those_further_away_are_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Looked up once: what it is next time cannot matter."""
    resolving(monkeypatch, "127.0.0.1", "10.1.2.3", "fe80::1", "fd00::1")
    tried: list[tuple[list[str], int]] = []

    async def connect(addresses: list[str], port: int, *_: object) -> None:
        tried.append((addresses, port))
        raise ConnectionRefusedError

    monkeypatch.setattr(aia_fetch, "connect_any", connect)
    assert await fetch_public("http://ca.example:8080/", MAX_SIZE, "none") == "cannot be reached"
    assert tried == [(["10.1.2.3", "fd00::1"], 8080)]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://admin:pw@ca.tailspin.test/x", "an address with a user name is not asked"),
        ("http://admin@ca.tailspin.test/x", "an address with a user name is not asked"),
        ("http://ca.tailspin.test:22/x", "only ports 80 and 8080 are asked"),
        ("http://ca.tailspin.test:99999/x", "only ports 80 and 8080 are asked"),
        ("http://ca.tailspin.test:0/x", "only ports 80 and 8080 are asked"),
    ],
)
async def test_what_is_no_publisher_is_not_asked(url: str, told: str) -> None:
    async with serving_plain(answer(b"hello")) as web:
        pins = {f"ca.tailspin.test:{port}": f"127.0.0.1:{web.listener.port}" for port in (22, 80)}
        assert await fetch_public(url, MAX_SIZE, "none", pins) == told
        assert web.asked == []


# What trying signatures may cost


def signed_with(exponent: int) -> tuple[Issued, Issued]:
    """A leaf, and its issuer whose RSA key has this public exponent."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    p, q = made.p, made.q
    d = pow(exponent, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), made.iqmp,
        rsa.RSAPublicNumbers(exponent, p * q),
    )  # fmt: skip
    above = naming("Odd CA", None)
    key = numbers.private_key()
    issuer = Issued(
        x509.CertificateBuilder(
            above.certificate.subject, above.certificate.subject, key.public_key(), 7,
            above.certificate.not_valid_before_utc, above.certificate.not_valid_after_utc,
        ).sign(key, hashes.SHA256()),
        key,
    )  # fmt: skip
    return naming("localhost", issuer, names=[HOST]), issuer


@pytest.mark.parametrize(("exponent", "tried"), [(65537, True), (2**31 - 1, True),
                                                 (2**61 - 1, False)])  # fmt: skip
def test_a_key_that_is_made_to_be_costly_is_not_tried(exponent: int, tried: bool) -> None:
    leaf, issuer = signed_with(exponent)
    leaf.certificate.verify_directly_issued_by(issuer.certificate)  # it did sign
    assert issued_by(leaf.der, issuer.der) == tried


def named_alike(number: int) -> list[Issued]:
    return [naming("Contoso Issuing CA", ROOT) for _ in range(number)]


@pytest.mark.parametrize(("others", "is_found"), [(7, True), (8, False)])
async def test_so_many_of_the_issuers_name_are_tried(
    others: int, is_found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.pem"
    twice = named_alike(others) * 2
    path.write_bytes(b"".join(each.pem for each in (*twice, INTERMEDIATE)))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))
    found = (await completed(tmp_path, LEAF, roots=[ROOT], by=nothing)).found
    assert [each.der for each in found] == [INTERMEDIATE.der] * is_found
    (store,) = (each for each in stores.find_stores(None, path) if each.name == "CURL_CA_BUNDLE")
    root = root_of(
        [LEAF.der], [store, Store(StoreKind.OWN, "roots", in_use(tmp_path, ROOT).sources)]
    )
    assert (root is not None) == is_found


@pytest.mark.parametrize(("others", "is_found"), [(15, True), (16, False)])
async def test_so_many_of_a_file_are_read(others: int, is_found: bool, tmp_path: Path) -> None:
    strangers = [naming(f"Stranger {number}", None) for number in range(others)]
    body = published("pem", *strangers, INTERMEDIATE)

    async def fetch(_url: str) -> bytes | str:
        return body

    leaf = naming("localhost", INTERMEDIATE, PLACE, names=[HOST])
    found = (await completed(tmp_path, leaf, roots=[ROOT], by=fetch)).found
    assert len(found) == is_found


def test_a_path_through_many_of_one_name_costs_so_many_signatures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[bytes] = []

    def counted(der: bytes, issuer: bytes) -> bool:
        tried.append(issuer)
        return issued_by(der, issuer)

    monkeypatch.setattr(chain, "issued_by", counted)
    many = [each.der for each in named_alike(40)]
    assert path_of([LEAF.der, *many, INTERMEDIATE.der]) == (0,)
    assert len(tried) == 32
    assert path_of([LEAF.der, *many[:30], INTERMEDIATE.der]) == (0, 31)


async def test_the_screen_does_not_wait_for_signatures(tmp_path: Path) -> None:
    """Ninety certificates of one name, each with a key that takes milliseconds to try."""
    random = Random(7)
    made = []
    for _ in range(90):
        numbers = (
            random.getrandbits(3071) | 1 | 1 << 3070,
            random.getrandbits(3072) | 1 | 1 << 3071,
        )
        key = rsa.RSAPublicNumbers(*numbers).public_key()
        name = ROOT.certificate.subject
        made.append(
            x509.CertificateBuilder(
                name, name, key, 7, ROOT.certificate.not_valid_before_utc,
                ROOT.certificate.not_valid_after_utc,
            ).sign(ROOT.key, hashes.SHA256())
        )  # fmt: skip
    ders = [each.public_bytes(Encoding.DER) for each in made]
    leaf = naming("localhost", ROOT, PLACE, names=[HOST])
    late = 0.0

    async def tick() -> None:
        nonlocal late
        while True:
            asleep = time.monotonic()
            await asyncio.sleep(0.01)
            late = max(late, time.monotonic() - asleep)

    async def fetch(_url: str) -> bytes | str:
        return pkcs7.serialize_certificates(made, Encoding.DER)

    ticking = asyncio.create_task(tick())
    begun = time.monotonic()
    await completed(tmp_path, leaf, *ders, by=fetch)
    ticking.cancel()
    assert time.monotonic() - begun < 3
    assert late < 0.2
