"""A server that does not send all of its chain: what is missing is had, if anybody has it."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from stacktui.transport import aia_fetch
from tests.diagnosis.servers import DIRECT, Script, document_on, scripted
from tests.support.authority import STRANGERS, Issued, issue, server_context
from tests.support.listeners import closed_port, listening, silent
from tests.support.pasted import Shell
from tests.support.publishing import PLACE, leading_to, naming, published
from tests.support.stores import beside_the_one_in_use
from tests.support.web import Web, answer, serving_plain

# Neither is named like a root or like a CA below one: only the certificates can tell.
ROOT = naming("Tailspin Trust", None)
ISSUER = naming("Tailspin CA 1", ROOT)
OTHER = STRANGERS.root
NAMES = ("localhost",)


async def document(
    folder: Path, leaf: Issued, *roots: Issued, ca: Web | int | None = None, **variables: str
) -> dict[str, Any]:
    """What a check finds of a server that sends this leaf alone; a CA publishes at PLACE."""
    settings = DIRECT
    if ca is not None:
        pins = (f'"{name}" = "{pin}"' for name, pin in leading_to(ca).items())
        settings += f"\nresolve = {{ {', '.join(pins)} }}"
    async with scripted(Script(), server_context(leaf)) as web:
        return await document_on(
            folder, web.url, roots=roots or (ROOT,), settings=settings, variables=variables
        )


def text_of(verdict: dict[str, Any]) -> str:
    return "\n".join(verdict["evidence"])


def bundle(folder: Path, *certificates: Issued) -> str:
    path = folder / "bundle.pem"
    path.write_bytes(b"".join(each.pem for each in certificates))
    return str(path)


@pytest.mark.parametrize("form", ["der", "pkcs7-pem"])
async def test_the_issuer_is_at_the_address_that_the_certificate_names(
    form: str, tmp_path: Path
) -> None:
    async with serving_plain(answer(published(form, ISSUER))) as ca:
        leaf = naming("localhost", ISSUER, f"{PLACE}/ca.crt", names=NAMES)
        verdict = (await document(tmp_path, leaf, ca=ca))["verdict"]
        assert [each.target for each in ca.asked] == ["/ca.crt"]
    assert (verdict["id"], verdict["side"]) == ("tls-missing-intermediate", "stamp")
    assert verdict["title"] == "localhost does not send the intermediate certificate Tailspin CA 1"
    assert f"Tailspin CA 1 was found in {PLACE}/ca.crt: issued by Tailspin Trust" in text_of(
        verdict
    )
    assert sha256(ISSUER.der).digest().hex(":").upper() in text_of(verdict)
    assert "with it this machine trusts the chain: nothing else is missing" in text_of(verdict)


async def test_nothing_is_said_to_be_trusted_that_is_not(tmp_path: Path) -> None:
    async with serving_plain(answer(ISSUER.der)) as ca:
        leaf = naming("localhost", ISSUER, PLACE, names=NAMES)
        verdict = (await document(tmp_path, leaf, OTHER, ca=ca))["verdict"]
    assert verdict["id"] == "tls-missing-intermediate"
    assert "Tailspin CA 1 was found in" in text_of(verdict)
    assert "nothing else is missing" not in text_of(verdict)


async def test_the_issuer_is_in_another_store_of_this_box(tmp_path: Path) -> None:
    leaf = naming("localhost", ISSUER, names=NAMES)
    variables = beside_the_one_in_use(bundle(tmp_path, OTHER, ISSUER))
    verdict = (await document(tmp_path, leaf, **variables))["verdict"]
    assert verdict["id"] == "tls-missing-intermediate"
    assert "Tailspin CA 1 was found in CURL_CA_BUNDLE: issued by Tailspin Trust" in text_of(verdict)
    assert "nothing else is missing" in text_of(verdict)


@pytest.mark.parametrize("name", ["Tailspin Trust", "Tailspin Issuing CA", "Tailspin Root CA"])
async def test_a_root_that_another_store_holds_is_trusted_as_the_mend_says(
    name: str, tmp_path: Path
) -> None:
    """Whatever it is called: the certificate tells that it is a root."""
    root = naming(name, None)
    leaf = naming("localhost", root, names=NAMES)
    variables = beside_the_one_in_use(bundle(tmp_path, OTHER, root))
    async with scripted(Script(), server_context(leaf)) as web:
        found = await document_on(tmp_path, web.url, roots=(OTHER,), variables=variables)
        verdict = found["verdict"]
        assert (verdict["id"], verdict["side"]) == ("tls-untrusted-root", "box")
        assert "other stores of this machine hold it: CURL_CA_BUNDLE" in text_of(verdict)
        assert sha256(root.der).digest().hex(":").upper() in text_of(verdict)
        (remedy,) = (each["bash"] for each in verdict["remedies"] if "--presented" in each["bash"])
        after = await asyncio.to_thread(
            Shell(tmp_path).check_after_dialogue,
            remedy,
            config=tmp_path / "config.toml",
            replies=[("last 8 digits", sha256(root.der).hexdigest()[-8:])],
            **variables,
        )
    assert (after["verdict"], after["ok"]) == (None, True)


async def test_an_issuer_that_another_store_holds_is_no_root_to_trust(tmp_path: Path) -> None:
    """It is named like a root, so trust in it may be what is missing; nobody has it, though."""
    root = naming("Tailspin Root CA", None)
    middle = naming("Tailspin CA 2", root)
    leaf = naming("localhost", middle, names=NAMES)
    variables = beside_the_one_in_use(bundle(tmp_path, middle))
    async with scripted(Script(), server_context(leaf, middle.pem)) as web:
        verdict = (await document_on(tmp_path, web.url, roots=(OTHER,), variables=variables))[
            "verdict"
        ]
    assert verdict["id"] == "tls-untrusted-root"
    assert "other stores of this machine" not in text_of(verdict)
    assert not any("--presented" in each["bash"] for each in verdict["remedies"])


@pytest.mark.parametrize("sent", ["leaf", "whole"])
async def test_an_intermediate_in_place_of_the_root_is_told(sent: str, tmp_path: Path) -> None:
    """A `ca` that names the issuing CA: whatever the server sends, the root is what is missing."""
    leaf = naming("localhost", ISSUER, names=NAMES)
    below = b"" if sent == "leaf" else ISSUER.pem + ROOT.pem
    variables = beside_the_one_in_use(bundle(tmp_path, ROOT)) if sent == "leaf" else {}
    async with scripted(Script(), server_context(leaf, below)) as web:
        found = await document_on(tmp_path, web.url, roots=(ISSUER,), variables=variables)
        verdict = found["verdict"]
        assert (verdict["id"], verdict["side"]) == ("tls-untrusted-root", "box")
        assert "does not hold Tailspin Trust" in verdict["title"]
        assert "without the root it counts for nothing" in text_of(verdict)
        (remedy,) = (each["bash"] for each in verdict["remedies"] if "--presented" in each["bash"])
        after = await asyncio.to_thread(
            Shell(tmp_path).check_after_dialogue,
            remedy,
            config=tmp_path / "config.toml",
            replies=[("last 8 digits", sha256(ROOT.der).hexdigest()[-8:])],
            **variables,
        )
    assert (after["verdict"], after["ok"]) == (None, True)


async def test_an_intermediate_whose_root_nobody_has_is_told_too(tmp_path: Path) -> None:
    leaf = naming("localhost", ISSUER, names=NAMES)
    verdict = (await document(tmp_path, leaf, ISSUER))["verdict"]
    assert verdict["id"] == "tls-untrusted-root"
    assert "does not hold Tailspin Trust" in verdict["title"]
    assert not any("--presented" in each["bash"] for each in verdict["remedies"])


async def test_where_nobody_has_it_the_verdict_stays_honest(tmp_path: Path) -> None:
    leaf = naming("localhost", ISSUER, names=NAMES)
    verdict = (await document(tmp_path, leaf))["verdict"]
    assert verdict["id"] == "unexplained"
    assert "either an intermediate is missing" in text_of(verdict)
    named = issue("Tailspin Issuing CA", (), ROOT)
    verdict = (await document(tmp_path, naming("localhost", named, names=NAMES)))["verdict"]
    assert verdict["id"] == "tls-missing-intermediate"
    assert "named like a CA below a root" in text_of(verdict)


async def test_what_only_bears_the_issuers_name_is_not_believed(tmp_path: Path) -> None:
    twin = naming("Tailspin CA 1", ROOT)
    async with serving_plain(answer(twin.der)) as ca:
        leaf = naming("localhost", ISSUER, PLACE, names=NAMES)
        variables = beside_the_one_in_use(bundle(tmp_path, twin))
        verdict = (await document(tmp_path, leaf, ca=ca, **variables))["verdict"]
    assert verdict["id"] == "unexplained"
    assert "was found in" not in text_of(verdict)


HOSTILE = (
    "http://[", "file:///etc/passwd", "http://localhost:1/\x1b]0;x\x07", "http://127.0.0.1:99999/",
    "http://127.0.0.1:-1/", "http://127.0.0.1:65536/", "http://0.0.0.0:0/", "http://127.0.0.1/",
)  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
async def test_an_address_of_any_kind_stops_no_check(url: str, tmp_path: Path) -> None:
    named = issue("Tailspin Issuing CA", (), ROOT)
    verdict = (await document(tmp_path, naming("localhost", named, url, names=NAMES)))["verdict"]
    assert verdict["id"] == "tls-missing-intermediate"
    assert all(line.isprintable() for line in verdict["evidence"])


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "ALL_PROXY"])
async def test_a_variable_that_is_broken_stops_no_check(variable: str, tmp_path: Path) -> None:
    """It is not the check's: that has its own proxy setting, and another base store."""
    import certifi

    values = {"SSL_CERT_FILE": "/no/such/file.pem"}
    variables = {
        variable: values.get(variable, "socks5://127.0.0.1:9"),
        "REQUESTS_CA_BUNDLE": certifi.where(),
    }
    async with serving_plain(answer(ISSUER.der)) as ca:
        leaf = naming("localhost", ISSUER, PLACE, names=NAMES)
        verdict = (await document(tmp_path, leaf, ca=ca, **variables))["verdict"]
    assert verdict["id"] == "tls-missing-intermediate"


async def test_an_address_that_is_silent_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aia_fetch, "_SECONDS", 0.5)
    named = naming("Tailspin Issuing CA", ROOT)
    async with listening(silent) as mute:
        leaf = naming("localhost", named, PLACE, names=NAMES)
        found = await document(tmp_path, leaf, ca=mute.port)
    assert found["verdict"]["id"] == "tls-missing-intermediate"
    assert f"{PLACE}: no answer in 0.5 s" in text_of(found["verdict"])
    assert found["seconds"] < 5


async def test_an_address_where_nobody_is_holds_up_nothing(tmp_path: Path) -> None:
    named = naming("Tailspin Issuing CA", ROOT)
    with closed_port() as port:
        found = await document(tmp_path, naming("localhost", named, PLACE, names=NAMES), ca=port)
    assert found["verdict"]["id"] == "tls-missing-intermediate"
    assert "cannot be reached" in text_of(found["verdict"])
    assert found["seconds"] < 5
