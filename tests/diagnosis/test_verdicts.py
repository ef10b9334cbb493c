"""Each rule's fault provoked on a real stamp, and its verdict read from outside, as JSON."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stacktui.certificates.trust import BASE_VARIABLES
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.transport.resolver import configured_resolvers
from tests.diagnosis.drills import drill
from tests.diagnosis.servers import Script, said, scripted, verdict_on
from tests.product import check_json, write_config

DOMAIN = "local.azurestack.external"
ARM = f"management.{DOMAIN}"
# fault: the side it is on, the step it stops, and what its evidence must show
PROVOKED = {
    "tls-untrusted-root": ("box", "metadata", ["AzureStackSelfSignedRootCert", "ca ("]),
    "tls-expired": ("stamp", "metadata", ["days ago", "this machine's clock says"]),
    "tls-intercepted": ("network", "metadata", ["Contoso Web Gateway Root CA"]),
    "tls-name-mismatch": ("stamp", "metadata", [f"asked for: {ARM}", "the certificate is for: "]),
    "metadata-intercepted": ("network", "metadata", ["the page is titled: ", "→ 200"]),
    "metadata-not-json": ("stamp", "metadata", [": character", "it begins: {"]),
    "sp-secret-wrong": ("sign-in", "token", ["the secret came from file", "invalid_client"]),
    "arm-forbidden": ("sign-in", "resource-groups", ["resourceGroups/read", "AuthorizationFailed"]),
    "arm-server-error": ("stamp", "resource-groups", ["500", "x-ms-request-id: "]),
}
STEPS = ["metadata", "token", "resource-groups"]


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("fault", PROVOKED)
def test_a_fault_on_the_wire_is_named(fault: str, idp: IdentityProvider, tmp_path: Path) -> None:
    side, step, shown = PROVOKED[fault]
    ran = drill(fault, tmp_path, idp)
    assert ran.err == ""
    verdict = ran.document["verdict"]
    assert (ran.code, ran.document["ok"]) == (1, False)
    assert (verdict["id"], verdict["side"]) == (fault, side)
    for text in shown:
        assert any(text in line for line in verdict["evidence"]), (text, verdict["evidence"])
    assert verdict["title"]
    assert verdict["az_says"]
    assert verdict["remedies"]
    outcomes = [each["outcome"] for each in ran.document["steps"]]
    failed = STEPS.index(step)
    assert outcomes == ["ok"] * failed + ["failed"] + ["skipped"] * (2 - failed)


async def test_what_no_rule_knows_is_unexplained(tmp_path: Path) -> None:
    async with scripted(Script(metadata=said({"error": {}}, "418 I'm a teapot"))) as web:
        verdict = await verdict_on(tmp_path, web.url)
    assert verdict["id"] == "unexplained"
    assert any("418" in line for line in verdict["evidence"])


def test_a_healthy_stamp_has_no_verdict(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        ran = check_json(write_config(tmp_path, stamp.describe()))
    assert (ran.code, ran.document["ok"], ran.document["verdict"]) == (0, True, None)


@pytest.fixture(scope="module")
def stamp() -> Any:
    with run_in_thread(StampOptions(domain=DOMAIN)) as running:
        yield running.describe()


def verdict_of(config: Path, **variables: str) -> dict[str, Any]:
    ran = check_json(config, **variables)
    assert ran.code == 1, ran.err
    verdict: dict[str, Any] = ran.document["verdict"]
    return verdict | {"steps": [step["outcome"] for step in ran.document["steps"]]}


def test_a_name_that_does_not_exist(stamp: Any, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp, arm='"https://management.nowhere.invalid"')
    verdict = verdict_of(config)
    assert (verdict["id"], verdict["side"]) == ("dns-not-found", "box")
    assert "management.nowhere.invalid" in verdict["title"]
    assert any("the stamp's domain is nowhere.invalid" in line for line in verdict["evidence"])
    asked = [line for line in verdict["evidence"] if line.startswith("resolvers asked: ")]
    servers = configured_resolvers()
    assert asked == ([f"resolvers asked: {', '.join(servers)}"] if servers else [])


def test_a_port_where_nothing_listens(stamp: Any, tmp_path: Path, closed_port: int) -> None:
    config = write_config(tmp_path, stamp, arm=f'"https://127.0.0.1:{closed_port}"')
    verdict = verdict_of(config)
    assert (verdict["id"], verdict["side"]) == ("tcp-refused", "stamp")
    assert f"tried 127.0.0.1:{closed_port} ECONNREFUSED" in verdict["evidence"]
    assert "443" in verdict["remedies"][0]["title"]


def test_a_login_host_where_nothing_listens(stamp: Any, tmp_path: Path, closed_port: int) -> None:
    login = next(name for name in stamp["resolve"] if name.startswith("login."))
    pins = dict(stamp["resolve"]) | {login: f"127.0.0.1:{closed_port}"}
    text = ", ".join(f'"{name}" = "{pin}"' for name, pin in pins.items())
    verdict = verdict_of(write_config(tmp_path, stamp, resolve=f"{{ {text} }}"))
    assert verdict["id"] == "login-unreachable"
    assert verdict["title"].startswith(f"The login host {login.partition(':')[0]} cannot be used")
    assert verdict["steps"] == ["ok", "failed", "skipped"]


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ('{ env = "STACKTUI_TEST_UNSET" }', "STACKTUI_TEST_UNSET: it is not set"),
        ('{ env = "EMPTY_SECRET" }', "EMPTY_SECRET: it is empty"),
        ('{ file = "nowhere/secret" }', "nowhere/secret: no such file"),
        ('{ file = "." }', "it is a directory"),
    ],
)
def test_a_secret_that_is_not_there(secret: str, expected: str, stamp: Any, tmp_path: Path) -> None:
    verdict = verdict_of(write_config(tmp_path, stamp, secret=secret), EMPTY_SECRET="")
    assert (verdict["id"], verdict["side"]) == ("secret-missing", "box")
    assert verdict["evidence"][0].endswith(expected)
    assert verdict["steps"] == ["ok", "failed", "skipped"]


def test_a_mend_for_a_missing_secret_works_when_pasted(stamp: Any, tmp_path: Path) -> None:
    config = write_config(tmp_path, stamp, secret='{ file = "kept/secret" }')
    (tmp_path / "kept").mkdir()
    command = verdict_of(config)["remedies"][0]["bash"]
    secret = Path(stamp["secret_file"]).read_text(encoding="utf-8")
    subprocess.run(["bash", "-c", command], input=f"{secret}\n", text=True, check=True)
    assert (tmp_path / "kept" / "secret").stat().st_mode & 0o777 == 0o600
    assert check_json(config).code == 0


CERTIFICATES = {
    "missing": (None, "the file is not there"),
    "empty": ("", "no certificate"),
    "key only": ("key", "no certificate"),
    "certificate only": ("certificate", "its private key is missing"),
    "pfx": ("pfx", "it is an encrypted PFX"),
    "encrypted": ("encrypted", "is encrypted"),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_cannot_sign_in(case: str, stamp: Any, tmp_path: Path) -> None:
    made, expected = CERTIFICATES[case]
    path = tmp_path / "sp.pem"
    if made is not None:
        path.write_bytes(_certificate_file(Path(stamp["certificate_file"]), made))
    verdict = verdict_of(write_config(tmp_path, stamp, secret="", certificate=f'"{path}"'))
    assert (verdict["id"], verdict["side"]) == ("sp-cert-unusable", "box")
    assert expected in verdict["title"]
    assert verdict["steps"] == ["ok", "failed", "skipped"]


@pytest.mark.parametrize("case", ["pfx", "encrypted"])
def test_a_mend_for_a_certificate_works_when_pasted(case: str, stamp: Any, tmp_path: Path) -> None:
    path = tmp_path / "sp.file"
    path.write_bytes(_certificate_file(Path(stamp["certificate_file"]), case))
    config = write_config(tmp_path, stamp, secret="", certificate=f'"{path}"')
    named, otherwise = verdict_of(config)["remedies"]
    assert "certificate_password" in named["title"]
    command = otherwise["bash"]
    # openssl asks for the password on its terminal; here it comes by openssl's own option.
    command = command.replace("openssl pkey", "openssl pkey -passin pass:tested")
    command = command.replace("stacktui ", f"{shlex.quote(sys.executable)} -m stacktui ")
    subprocess.run(
        ["bash", "-c", command], input="tested\n", text=True, check=True, capture_output=True
    )
    fixed = write_config(tmp_path, stamp, secret="", certificate=f'"{path}.pem"')
    ran = check_json(fixed)
    assert ran.code == 0, ran.out


def _certificate_file(usable: Path, made: str) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.serialization import pkcs12

    content = usable.read_bytes()
    key = form.load_pem_private_key(content[content.index(b"-----BEGIN PRIVATE") :], None)
    certificate = x509.load_pem_x509_certificate(content)
    pem = certificate.public_bytes(form.Encoding.PEM)
    private = (form.Encoding.PEM, form.PrivateFormat.PKCS8)
    locked = form.BestAvailableEncryption(b"tested")
    match made:
        case "key":
            return key.private_bytes(*private, form.NoEncryption())
        case "certificate":
            return pem
        case "encrypted":
            return key.private_bytes(*private, locked) + pem
        case "pfx":
            return pkcs12.serialize_key_and_certificates(
                b"sp",
                key,  # type: ignore[arg-type]
                certificate,
                None,
                locked,
            )
    return made.encode()


@pytest.mark.parametrize("form", ["pfx", "encrypted"])
def test_the_password_of_a_certificate(form: str, stamp: Any, tmp_path: Path) -> None:
    path, password = tmp_path / "sp.file", tmp_path / "pass word"
    path.write_bytes(_certificate_file(Path(stamp["certificate_file"]), form))
    reference = f'{{ file = "{password}" }}'
    config = write_config(
        tmp_path, stamp, secret="", certificate=f'"{path}"', certificate_password=reference
    )
    missing = verdict_of(config)
    assert (missing["id"], missing["side"]) == ("secret-missing", "box")
    assert "certificate password" in missing["title"]
    assert "certificate_password under [identities.tester]" in missing["remedies"][1]["title"]
    put = missing["remedies"][0]["bash"]
    subprocess.run(["bash", "-c", put], input="wr0ng-one\n", text=True, check=True)
    wrong = verdict_of(config)
    assert (wrong["id"], wrong["side"]) == ("sp-cert-unusable", "box")
    assert "wr0ng" not in str(wrong)
    put = wrong["remedies"][0]["bash"]
    subprocess.run(["bash", "-c", put], input="tested\n", text=True, check=True)
    ran = check_json(config)
    assert ran.code == 0, ran.out
    assert "tested" not in ran.out


TRUST_FILES = {
    "empty": (b"", "is empty"),
    "html": (b"<html><body>404</body></html>", "is an HTML page"),
    "text": (b"not a certificate\n", "holds no usable PEM certificate"),
    "key": (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "private key but"),
    "der": (None, "is in DER form"),
}


@pytest.mark.parametrize("setting", ["ca", *BASE_VARIABLES])
def test_a_trust_file_that_is_not_there(setting: str, stamp: Any, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    replaced = {"ca": f'"{missing}"'} if setting == "ca" else {}
    variables = {} if setting == "ca" else {setting: missing}
    verdict = verdict_of(write_config(tmp_path, stamp, **replaced), **variables)
    assert (verdict["id"], verdict["side"]) == ("trust-file-missing", "box")
    assert verdict["evidence"] == [f"{setting} = {missing}: no such file"]
    assert verdict["steps"] == ["failed", "skipped", "skipped"]


@pytest.mark.parametrize("case", TRUST_FILES)
@pytest.mark.parametrize("setting", ["ca", "REQUESTS_CA_BUNDLE"])
def test_a_trust_file_that_is_none(case: str, setting: str, stamp: Any, tmp_path: Path) -> None:
    content, expected = TRUST_FILES[case]
    bad = tmp_path / "bad.pem"
    bad.write_bytes(_der(Path(stamp["ca_file"])) if content is None else content)
    replaced = {"ca": f'"{bad}"'} if setting == "ca" else {}
    variables = {} if setting == "ca" else {setting: str(bad)}
    verdict = verdict_of(write_config(tmp_path, stamp, **replaced), **variables)
    assert (verdict["id"], verdict["side"]) == ("trust-file-bad", "box")
    assert expected in verdict["title"]
    assert verdict["evidence"][0] == f"{setting} = {bad}"


def test_a_mend_for_a_der_file_works_when_pasted(stamp: Any, tmp_path: Path) -> None:
    der = tmp_path / "root.cer"
    der.write_bytes(_der(Path(stamp["ca_file"])))
    command = verdict_of(write_config(tmp_path, stamp, ca=f'"{der}"'))["remedies"][0]["bash"]
    subprocess.run(["bash", "-c", command], check=True, capture_output=True)
    assert check_json(write_config(tmp_path, stamp, ca=f'"{der}.pem"')).code == 0


def _der(pem: Path) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    return x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)
