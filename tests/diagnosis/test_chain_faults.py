"""Chains with several faults, of unknown origin, or of a root that has a namesake here."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.diagnosis.servers import Script, document_on, scripted
from tests.support.authority import DAY, STRANGERS, Issued, authority, issue, server_context
from tests.support.proxies import proxying

OURS = authority()
CLIENTS_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])


def presenting(leaf: Issued, *above: Issued) -> ssl.SSLContext:
    return server_context(leaf, b"".join(each.pem for each in above))


async def found_on(
    folder: Path, context: ssl.SSLContext, *roots: Issued, **settings: Any
) -> dict[str, Any]:
    async with scripted(Script(), context) as web:
        return await document_on(folder, web.url, roots=roots, **settings)


def ids(document: dict[str, Any]) -> list[str]:
    return [document["verdict"]["id"], *(each["id"] for each in document["also_seen"])]


def faults(document: dict[str, Any]) -> list[str]:
    """The ids without the advisories on certificates: those of the tests end soon."""
    return [each for each in ids(document) if not each.startswith("cert-")]


async def test_an_expired_certificate_of_another_name_is_told_both(tmp_path: Path) -> None:
    leaf = OURS.leaf("management.east.example", starts=-9 * DAY, ends=-2 * DAY)
    document = await found_on(tmp_path, OURS.server(leaf), OURS.root)
    assert faults(document) == ["tls-expired", "tls-name-mismatch"]
    # Its signature was verified, so the name that it offers may be meant.
    actions = [each["action"] for each in document["also_seen"][0]["remedies"] if each["action"]]
    assert actions[0]["value"].startswith("https://management.east.example:")
    document = await found_on(
        tmp_path, OURS.server(OURS.leaf("localhost", starts=-9 * DAY, ends=-2 * DAY)), OURS.root
    )
    assert faults(document) == ["tls-expired"]


async def test_a_missing_intermediate_and_another_name_are_told_both(tmp_path: Path) -> None:
    root = issue("Tailspin Root CA", (), None)
    issuing = issue("Tailspin Issuing CA", (), root)
    names = ("management.east.example",)
    document = await found_on(tmp_path, presenting(issue("m", names, issuing)), root)
    assert faults(document) == ["tls-missing-intermediate", "tls-name-mismatch"]
    # Nothing proves who offers that name: it is told, and not to be set by one key.
    assert not [each for each in document["also_seen"][0]["remedies"] if each["action"]]
    right = issue("localhost", ("localhost",), issuing)
    assert faults(await found_on(tmp_path, presenting(right), root)) == ["tls-missing-intermediate"]


async def test_all_that_is_wrong_with_a_chain_is_told_at_once(tmp_path: Path) -> None:
    root = issue("Tailspin Root CA", (), None)
    leaf = issue("x", ("other.example",), root, CLIENTS_ONLY, starts=-9 * DAY, ends=-2 * DAY)
    document = await found_on(tmp_path, presenting(leaf, root), STRANGERS.root)
    assert faults(document) == [
        "tls-untrusted-root", "tls-expired", "tls-unsuitable", "tls-name-mismatch"
    ]  # fmt: skip


async def test_of_a_gateways_certificate_nothing_more_is_told(tmp_path: Path) -> None:
    root = issue("Contoso Web Gateway", (), None)
    leaf = issue("x", ("other.example",), root, CLIENTS_ONLY, starts=-9 * DAY, ends=-2 * DAY)
    assert faults(await found_on(tmp_path, presenting(leaf, root), OURS.root)) == [
        "tls-intercepted"
    ]


@pytest.mark.parametrize(
    ("of_leaf", "of_root", "why"),
    [
        (CLIENTS_ONLY, None, "may be used for clientAuth"),
        (
            None,
            x509.NameConstraints([x509.DNSName("contoso.example")], None),
            "permitted subtree violation",
        ),
    ],
)
async def test_a_certificate_that_may_not_be_used_so_is_unsuitable(
    of_leaf: x509.ExtensionType | None, of_root: x509.ExtensionType | None, why: str, tmp_path: Path
) -> None:
    root = issue("Tailspin Root CA", (), None, *filter(None, [of_root]))
    leaf = issue("localhost", ("localhost",), root, *filter(None, [of_leaf]))
    document = await found_on(tmp_path, presenting(leaf), root)
    verdict = document["verdict"]
    assert (verdict["id"], verdict["side"]) == ("tls-unsuitable", "stamp")
    assert any(why in line for line in verdict["evidence"]), verdict["evidence"]
    assert any(line.startswith("tried 127.0.0.1:") for line in verdict["evidence"])


async def test_behind_a_proxy_an_unknown_root_is_not_taken_for_the_stamps(tmp_path: Path) -> None:
    """An interceptor whose CA has an ordinary name."""
    root = issue("Fabrikam Corporate Root", (), None)
    context = presenting(issue("localhost", ("localhost",), root, ends=20 * DAY), root)
    async with proxying() as proxy:
        through = f'proxy = "{proxy.url}"'
        document = await found_on(tmp_path, context, OURS.root, settings=through)
    verdict = document["verdict"]
    # Neither its purposes nor its last day are the stamp's.
    assert ids(document) == ["tls-untrusted-root"]
    assert any(f"through the proxy {proxy.url}" in line for line in verdict["evidence"])
    assert verdict["remedies"][0]["title"].startswith("Ask the stamp's operator whether Fabrikam")
    assert any("proxy=none" in each["bash"] for each in verdict["remedies"])
    document = await found_on(tmp_path, context, OURS.root)
    assert ids(document) == ["tls-untrusted-root", "cert-expires-soon"]
    assert not any("proxy" in each["title"] for each in document["verdict"]["remedies"])


@pytest.mark.parametrize("with_identifiers", [False, True])
async def test_a_namesake_of_the_root_is_told_where_the_root_is_not_sent(
    with_identifiers: bool, tmp_path: Path
) -> None:
    """OpenSSL finds it without key identifiers (code 7), and passes over it with them (20)."""
    own = [(x509.SubjectKeyIdentifier(each),) if with_identifiers else () for each in (b"1", b"2")]
    before, now = (issue("Tailspin Trust", (), None, *each) for each in own)
    issuer = (x509.AuthorityKeyIdentifier(b"2", None, None),) if with_identifiers else ()
    leaf = issue("localhost", ("localhost",), now, *issuer)
    document = await found_on(tmp_path, presenting(leaf), before)
    tls = document["steps"][0]["evidence"]["exchanges"][-1]["connection"]["tls"]
    assert tls["verify_code"] == (20 if with_identifiers else 7)
    assert faults(document) == ["tls-untrusted-root"]
    sha256 = before.certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    line = f"ca ({tmp_path}/ca.pem) holds a root of the same name, SHA-256 {sha256}"
    assert any(line in each for each in document["verdict"]["evidence"])
    assert document["completion"]["namesakes"][0]["certificate"]["sha256"] == sha256


async def test_an_unknown_root_without_a_namesake_is_none(tmp_path: Path) -> None:
    leaf = issue("localhost", ("localhost",), issue("Tailspin Trust", (), None))
    document = await found_on(tmp_path, presenting(leaf), OURS.root)
    assert faults(document) == ["unexplained"]
    assert "namesakes" not in (document["completion"] or {})


@pytest.mark.parametrize("whole", [True, False], ids=["sent", "not sent"])
async def test_an_intermediate_alone_is_no_root_to_trust(whole: bool, tmp_path: Path) -> None:
    root = issue("Tailspin Root CA", (), None)
    issuing = issue("Tailspin Issuing CA", (), root)
    leaf = issue("localhost", ("localhost",), issuing)
    context = presenting(leaf, issuing) if whole else presenting(leaf)
    verdict = (await found_on(tmp_path, context, issuing))["verdict"]
    assert (verdict["id"], verdict["side"]) == ("tls-untrusted-root", "box")
    assert "does not hold Tailspin Root CA" in verdict["title"]
    assert any("without the root it counts for" in line for line in verdict["evidence"])


async def test_an_issuer_that_is_no_ca_is_told_beside_an_unknown_root(tmp_path: Path) -> None:
    root = issue("Tailspin Root CA", (), None)
    web_server = issue("www.tailspin.example", ("www.tailspin.example",), root)
    leaf = issue("localhost", ("localhost",), web_server)
    document = await found_on(tmp_path, presenting(leaf, web_server, root), OURS.root)
    assert faults(document) == ["tls-untrusted-root", "tls-unsuitable"]
    document = await found_on(tmp_path, presenting(leaf, web_server), root)
    assert faults(document) == ["tls-unsuitable"]
