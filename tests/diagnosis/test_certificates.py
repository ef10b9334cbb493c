"""Verdicts on chains, each presented by a real server: the rules, and where they stay silent."""

from __future__ import annotations

import asyncio
import shlex
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.text.shell import powershell
from tests.diagnosis.servers import Script, said, scripted, verdict_on
from tests.product import check_json, stacktui, write_config
from tests.support.authority import (
    STRANGERS,
    Issued,
    authority,
    issue,
    server_context,
)
from tests.support.listeners import closed_port, listening, saying
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
        (stop,) = (line for line in verdict["evidence"] if line.startswith("the chain stops at "))
        assert "Tailspin CA 1, issued by Tailspin CA 2: " in stop
        assert "either an intermediate is missing" in stop
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


@pytest.mark.parametrize("name", ["Test", "--help", "-n", "--yes", "a b'c", "$(id)", "--"])
async def test_a_mend_for_an_untrusted_root_works_when_pasted(name: str, tmp_path: Path) -> None:
    """All but the question, which `--yes` answers here; the next fault is another one."""
    root, middle, leaf = chain_of("Tailspin Trust", "Tailspin CA")
    async with scripted(Script(), presenting(leaf, middle, root)) as web:
        verdict = await verdict_on(tmp_path, web.url, roots=(STRANGERS.root,), name=name)
        remedy = verdict["remedies"][0]
        words = shlex.split(remedy["bash"])
        assert words[0] == "stacktui"
        assert words[-1] == f"--presented={name}"
        assert remedy["powershell"].endswith(" " + powershell(f"--presented={name}"))
        done = await asyncio.to_thread(stacktui, *words[1:], "--yes")
        assert done.code == 0, done.err
        assert "Added 1 certificate" in done.out
        after = await asyncio.to_thread(check_json, tmp_path / "config.toml", "--", name)
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
    intercepted = id_ == "tls-intercepted"
    assert verdict["title"].endswith("TLS is opened on the way") == intercepted
    assert any("named like products" in line for line in verdict["evidence"]) == intercepted


async def test_an_expired_root_of_this_box_is_not_the_stamps(tmp_path: Path) -> None:
    root = issue("Old Root CA", (), None, starts=-9 * DAY, ends=-2 * DAY)
    leaf = issue("localhost", ("localhost",), root)
    async with scripted(Script(), presenting(leaf)) as web:
        verdict = await verdict_on(tmp_path, web.url, roots=(root,))
    assert (verdict["id"], verdict["side"]) == ("tls-expired", "box")
    assert verdict["title"] == "A CA certificate that this machine trusts for localhost has expired"
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
    assert (verdict["id"], at_arm["id"]) == ("login-unreachable", "tls-name-mismatch")
    assert verdict["title"].endswith("cannot be used: The certificate is not for localhost")
    assert not any(remedy["action"] for remedy in verdict["remedies"])
    meant = f"https://management.example:{login.listener.port}"
    action = {"kind": "set", "key": "arm", "value": meant}
    assert [each["action"] for each in at_arm["remedies"] if each["action"]] == [action]


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
    assert (refused["id"], unknown["id"]) == ("login-unreachable", "login-unreachable")
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


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        ("tls-self-signed", "is its own issuer"),
        ("tls-not-yet-valid", "in 2 days"),
        ("tls-missing-intermediate", "is issued by Azure Stack Issuing CA 01, which management."),
        ("tls-weak", "RSA 1024 bits, signed with ecdsa-with-SHA256"),
    ],
)
def test_a_chain_of_the_stamps_is_judged(
    fault: str, shown: str, idp: IdentityProvider, tmp_path: Path
) -> None:
    domain = "local.azurestack.external"
    with run_in_thread(StampOptions(fault=fault, idp=idp, domain=domain)) as stamp:
        ran = check_json(write_config(tmp_path, stamp.describe()))
    verdict = ran.document["verdict"]
    assert (ran.code, verdict["id"], verdict["side"]) == (1, fault, "stamp")
    assert any(shown in line for line in verdict["evidence"]), verdict["evidence"]
    assert ran.document["also_seen"] == []


@pytest.mark.parametrize(
    ("names", "sent", "id_"),
    [
        # Root, intermediates; what is sent of root (0), intermediates (1, 2) and leaf (-1).
        (("Tailspin Root CA", "Tailspin Issuing CA"), (-1,), "tls-missing-intermediate"),
        # Nothing ties a root that is sent beside a leaf to it.
        (("Tailspin Trust", "Tailspin CA"), (-1, 0), "unexplained"),
        (("Tailspin Trust", "Tailspin Policy CA", "CA 1"), (-1, 2), "tls-missing-intermediate"),
        # The one that is missing may be the root itself.
        (("Tailspin Trust", "Tailspin CA"), (-1,), "unexplained"),
        (("Tailspin CA",), (-1,), "unexplained"),
        (("Tailspin Root CA",), (-1,), "tls-untrusted-root"),
        (("Tailspin Issuing Root",), (-1,), "tls-untrusted-root"),
        # Whole, in whatever order.
        (("Tailspin Trust", "Tailspin Issuing CA"), (-1, 1, 0), "tls-untrusted-root"),
        (("Tailspin Trust", "Tailspin Issuing CA"), (-1, 0, 1), "tls-untrusted-root"),
        (("Contoso Web Gateway", "Contoso Web Gateway Issuing CA"), (-1,), "tls-intercepted"),
    ],
)
async def test_a_gap_is_told_from_an_unknown_root(
    names: tuple[str, ...], sent: tuple[int, ...], id_: str, tmp_path: Path
) -> None:
    made = chain_of(*names)
    async with scripted(Script(), presenting(*(made[each] for each in sent))) as web:
        verdict = await verdict_on(tmp_path, web.url, roots=(STRANGERS.root,))
    assert verdict["id"] == id_


async def test_a_missing_intermediate_beside_the_root_is_the_mend(tmp_path: Path) -> None:
    root, issuing, leaf = chain_of("Tailspin Root CA", "Tailspin Issuing CA")
    async with scripted(Script(), presenting(leaf)) as web:
        before = await verdict_on(tmp_path, web.url, roots=(root,))
        (tmp_path / "ca.pem").write_bytes(root.pem + issuing.pem)
        after = await asyncio.to_thread(check_json, tmp_path / "config.toml")
    assert before["id"] == "tls-missing-intermediate"
    assert "beside the root in the file that ca under" in before["remedies"][1]["title"]
    assert after.code == 0, after.out


async def test_an_address_of_the_missing_issuer_is_told(tmp_path: Path) -> None:
    root, issuing = chain_of("Tailspin Root CA", "Tailspin Issuing CA")[:2]
    url = "http://pki.tailspin.example/issuing.crt"
    leaf = _leaf_with_issuer_at(url, issuing)
    async with scripted(Script(), presenting(leaf)) as web:
        verdict = await verdict_on(tmp_path, web.url, roots=(root,))
    assert verdict["id"] == "tls-missing-intermediate"
    assert f"its issuer can be had from (AIA) {url}" in verdict["evidence"]


def _leaf_with_issuer_at(url: str, issuer: Issued) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    access = x509.AccessDescription(
        AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url)
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 90 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    )
    return Issued(builder.sign(issuer.key, hashes.SHA256()), key)


async def test_a_root_of_this_box_that_begins_later_is_not_the_stamps(tmp_path: Path) -> None:
    root = issue("New Root CA", (), None, starts=2 * DAY, ends=9 * DAY)
    leaf = issue("localhost", ("localhost",), root)
    async with scripted(Script(), presenting(leaf)) as web:
        verdict = await verdict_on(tmp_path, web.url, roots=(root,))
    assert (verdict["id"], verdict["side"]) == ("tls-not-yet-valid", "box")
    assert any("New Root CA" in line for line in verdict["evidence"])


AZ_SAYS = {
    "tls-not-yet-valid": "'… certificate is not yet valid …')))",
    "tls-expired": "'… certificate has expired …')))",
}


@pytest.mark.parametrize(
    ("starts", "ends", "ahead", "id_", "side"),
    [
        (3 * DAY, 90 * DAY, 10 * DAY, "tls-not-yet-valid", "box"),
        (3 * DAY, 90 * DAY, DAY, "tls-not-yet-valid", "stamp"),
        (-90 * DAY, -3 * DAY, -10 * DAY, "tls-expired", "box"),
        (-90 * DAY, -3 * DAY, -DAY, "tls-expired", "stamp"),
    ],
)
async def test_this_boxs_clock_is_checked_against_the_stamps(
    starts: timedelta, ends: timedelta, ahead: timedelta, id_: str, side: str, tmp_path: Path
) -> None:
    """ARM's answer tells the time; then the login host shows its certificate."""
    issuing = issue("Contoso Other CA", (), authority().root, starts=-99 * DAY)
    leaf = issue("localhost", ("localhost",), issuing, starts=starts, ends=ends)
    script = Script()
    async with scripted(Script(), presenting(leaf, issuing)) as login, scripted(script) as web:
        sign_in = {"loginEndpoint": f"{login.url}/adfs", "audiences": ["https://a"]}
        date = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
        script.metadata = said({"authentication": sign_in}, Date=date)
        verdict = await verdict_on(tmp_path, web.url)
    assert (verdict["id"], verdict["side"]) == ("login-unreachable", side)
    assert verdict["az_says"].endswith(AZ_SAYS[id_])
    assert ("clock is 9 days" in verdict["title"] or "clock is 10 days" in verdict["title"]) == (
        side == "box"
    )


async def test_a_server_of_old_tls_is_too_weak(tmp_path: Path) -> None:
    """It answers as servers of TLS 1.0 do: by the alert `protocol_version`, in TLS 1.0."""
    async with listening(saying(b"\x15\x03\x01\x00\x02\x02\x46")) as listener:
        verdict = await verdict_on(tmp_path, listener.url)
    assert (verdict["id"], verdict["side"]) == ("tls-weak", "stamp")
    assert "neither TLS 1.2 nor 1.3" in verdict["title"]


@pytest.mark.parametrize(
    ("asked", "names", "side"),
    [
        ("arm.east.example", ("management.east.example", "portal.east.example"), "box"),
        ("east.example", ("management.east.example", "portal.east.example"), "box"),
        ("east.example", ("management.west.example",), "stamp"),
        ("management.east.example", ("management.west.example",), "stamp"),
        ("management.east.example", ("portal.east.example",), "stamp"),
        ("127.0.0.1", ("management.east.example",), "box"),
        ("127.0.0.1", ("www.fabrikam.example",), "stamp"),
    ],
)
async def test_a_name_that_is_no_arm_endpoints_is_this_boxs_mistake(
    asked: str, names: tuple[str, ...], side: str, tmp_path: Path
) -> None:
    async with scripted(Script(), authority().server(authority().leaf(*names))) as web:
        port = web.listener.port
        settings = f'proxy = "none"\nresolve = {{ "{asked}:{port}" = "127.0.0.1:{port}" }}'
        verdict = await verdict_on(tmp_path, f"https://{asked}:{port}", settings=settings)
    assert (verdict["id"], verdict["side"]) == ("tls-name-mismatch", side)
    meant = [each["action"]["value"] for each in verdict["remedies"] if each["action"]]
    if side == "box":
        assert meant == [f"https://management.east.example:{port}"]
