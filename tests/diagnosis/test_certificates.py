"""Verdicts on chains, each presented by a real server: the rules, and where they stay silent."""

from __future__ import annotations

import asyncio
import shlex
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from tests.diagnosis.servers import Script, said, scripted, verdict_on
from tests.product import check_json, stacktui
from tests.support.authority import (
    STRANGERS,
    Issued,
    authority,
    issue,
    server_context,
)
from tests.support.listeners import closed_port
from tests.support.proxies import proxying
from tests.support.web import Raw

DAY = timedelta(days=1)


def chain_of(*names: str) -> list[Issued]:
    """Root first, then intermediates, then a leaf for `localhost`."""
    made: list[Issued] = []
    for name in names:
        made.append(issue(name, (), made[-1] if made else None))
    return [*made, issue("localhost", ("localhost",), made[-1])]


def presenting(*chain: Issued) -> ssl.SSLContext:
    """A server that presents these, leaf first."""
    leaf, *above = chain
    return server_context(leaf, b"".join(each.pem for each in above))


async def test_a_missing_intermediate_is_not_called_an_untrusted_root(tmp_path: Path) -> None:
    root, second, first, leaf = chain_of("Tailspin Root CA", "Tailspin CA 2", "Tailspin CA 1")
    async with scripted(Script(), presenting(leaf, first)) as web:
        verdict = await verdict_on(tmp_path, web.url, roots=(root,))
        assert verdict["id"] == "unexplained"
        (told,) = (line for line in verdict["evidence"] if line.startswith("the chain stops at "))
        assert "Tailspin CA 1, issued by Tailspin CA 2: " in told
        assert "either an intermediate is missing" in told
    async with scripted(Script(), presenting(leaf, first, second)) as web:
        # Whole, but for a root that really is unknown.
        verdict = await verdict_on(tmp_path, web.url, roots=(STRANGERS.root,))
    assert verdict["id"] == "tls-untrusted-root"


@pytest.mark.parametrize("with_root", [True, False])
@pytest.mark.parametrize("root_name", ["AzureStackSelfSignedRootCert", "Tailspin ROOT 01"])
async def test_a_root_that_shows_itself_is_named(
    root_name: str, with_root: bool, tmp_path: Path
) -> None:
    root, middle, leaf = chain_of(root_name, "Tailspin CA")
    sent = (leaf, middle, root) if with_root else (leaf, middle)
    async with scripted(Script(), presenting(*sent)) as web:
        verdict = await verdict_on(tmp_path, web.url, roots=(STRANGERS.root,))
    assert (verdict["id"], verdict["side"]) == ("tls-untrusted-root", "box")
    assert root_name in verdict["title"]


async def test_a_presented_root_needs_no_name_of_one(tmp_path: Path) -> None:
    root, middle, leaf = chain_of("Tailspin Trust", "Tailspin CA")
    async with scripted(Script(), presenting(leaf, middle, root)) as web:
        assert (await verdict_on(tmp_path, web.url))["id"] == "tls-untrusted-root"
    async with scripted(Script(), presenting(leaf, middle)) as web:
        assert (await verdict_on(tmp_path, web.url))["id"] == "unexplained"


async def test_a_mend_for_an_untrusted_root_works_when_pasted(tmp_path: Path) -> None:
    """All but the question, which `--yes` answers here; the next fault is another one."""
    root, middle, leaf = chain_of("Tailspin Trust", "Tailspin CA")
    async with scripted(Script(), presenting(leaf, middle, root)) as web:
        verdict = await verdict_on(tmp_path, web.url, roots=(STRANGERS.root,))
        words = shlex.split(verdict["remedies"][0]["bash"])
        assert words[0] == "stacktui"
        done = await asyncio.to_thread(stacktui, *words[1:], "--yes")
        assert done.code == 0, done.err
        after = await asyncio.to_thread(check_json, tmp_path / "config.toml")
    steps = {step["name"]: step["outcome"] for step in after.document["steps"]}
    assert steps["metadata"] == "ok"


@pytest.mark.parametrize(
    ("root_name", "id_"),
    [
        ("Charleston County IT", "tls-untrusted-root"),
        ("St. Charles Health", "tls-untrusted-root"),
        ("Proxyma GmbH", "tls-untrusted-root"),
        ("Gatewayside Bakery", "tls-untrusted-root"),
        ("Charles Proxy CA (3 May 2026)", "tls-intercepted"),
        ("proxy01 CA", "tls-intercepted"),
        ("Contoso Web Gateway", "tls-intercepted"),
        ("Contoso_Firewall_CA", "tls-intercepted"),
        ("FortiGate", "tls-intercepted"),
    ],
)
async def test_only_whole_words_name_an_interceptor(
    root_name: str, id_: str, tmp_path: Path
) -> None:
    root, leaf = chain_of(root_name)
    async with scripted(Script(), presenting(leaf, root)) as web:
        verdict = await verdict_on(tmp_path, web.url)
    assert verdict["id"] == id_
    assert ("is named like a gateway that opens TLS" in verdict["title"]) == (
        id_ == "tls-intercepted"
    )


async def test_an_expired_root_of_this_box_is_not_the_stamps(tmp_path: Path) -> None:
    root = issue("Old Root CA", (), None, starts=-9 * DAY, ends=-2 * DAY)
    leaf = issue("localhost", ("localhost",), root)
    async with scripted(Script(), presenting(leaf)) as web:
        verdict = await verdict_on(tmp_path, web.url, roots=(root,))
    assert (verdict["id"], verdict["side"]) == ("tls-expired", "box")
    assert verdict["title"] == "A CA certificate that this box trusts for localhost has expired"
    assert any("none that localhost presents has" in line for line in verdict["evidence"])


@pytest.mark.parametrize("expired", [True, False])
async def test_a_bad_certificate_of_the_proxy_is_not_the_arm_hosts(
    expired: bool, tmp_path: Path
) -> None:
    signer = authority() if expired else STRANGERS
    starts, ends = (-9 * DAY, -2 * DAY) if expired else (-DAY, DAY)
    context = signer.server(signer.leaf("localhost", starts=starts, ends=ends))
    settings = 'proxy = "https://localhost:{}"'
    async with scripted(Script()) as web, proxying(context=context) as proxy:
        settings = settings.format(proxy.port)
        verdict = await verdict_on(tmp_path, web.url, settings=settings)
        assert web.asked == []
    assert verdict["id"] == "unexplained"
    assert any(f"localhost:{proxy.port}" in line for line in verdict["evidence"])


async def test_arm_is_not_to_be_changed_for_the_login_hosts_sake(tmp_path: Path) -> None:
    leaf = authority().leaf("management.example", "adfs.east.example")
    context = authority().server(leaf)
    script = Script()
    async with scripted(Script(), context) as login, scripted(script) as web:
        script.metadata = _login_at(login.url)
        verdict = await verdict_on(tmp_path, web.url)
        at_arm = await verdict_on(tmp_path, login.url)
    assert (verdict["id"], at_arm["id"]) == ("tls-name-mismatch", "tls-name-mismatch")
    assert not any("arm = " in remedy["title"] for remedy in verdict["remedies"])
    assert any("arm = " in remedy["title"] for remedy in at_arm["remedies"])


async def test_arm_is_not_to_be_changed_for_a_login_host_without_name_or_port(
    tmp_path: Path,
) -> None:
    script = Script()
    with closed_port() as port:
        async with scripted(script) as web:
            script.metadata = _login_at(f"https://localhost:{port}")
            refused = await verdict_on(tmp_path, web.url)
            script.metadata = _login_at("https://adfs.nowhere.invalid")
            unknown = await verdict_on(tmp_path, web.url)
    assert (refused["id"], unknown["id"]) == ("tcp-refused", "dns-not-found")
    for verdict in (refused, unknown):
        assert verdict["remedies"]
        assert not any("arm under" in remedy["title"] for remedy in verdict["remedies"])


def _login_at(url: str) -> Raw:
    return said({"authentication": {"loginEndpoint": f"{url}/adfs", "audiences": ["https://a"]}})


async def test_a_certificate_of_many_names_is_shown_in_part(tmp_path: Path) -> None:
    leaf = authority().leaf(*(f"n{number}.example" for number in range(150)))
    async with scripted(Script(), authority().server(leaf)) as web:
        verdict = await verdict_on(tmp_path, web.url)
    assert verdict["id"] == "tls-name-mismatch"
    assert max(map(len, verdict["evidence"])) < 400
    assert any("(150 in all)" in line for line in verdict["evidence"])


async def test_a_chain_of_many_certificates_is_shown_in_part(tmp_path: Path) -> None:
    root, leaf = chain_of("Tailspin Root")
    others = [issue(f"Other {number}", (), None) for number in range(12)]
    async with scripted(Script(), presenting(leaf, root, *others)) as web:
        verdict = await verdict_on(tmp_path, web.url)
    shown = [line for line in verdict["evidence"] if line.startswith("certificate ")]
    assert len(shown) == 8
    assert "and 6 more certificates" in verdict["evidence"]
