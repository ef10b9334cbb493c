"""Trust files and service principals' files as people make them: named, and mended as told."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from stacktui.diagnosis.finding import Action, ActionKind, Finding, Remedy, Side
from stacktui.diagnosis.fixes import Fix, plan_fix
from stacktui.transport.limits import Limits
from tests.diagnosis.servers import CLIENT_ID, Script, config_for, scripted
from tests.product import check_json, stacktui
from tests.support.authority import STRANGERS, authority, issue, rsa_key

ROOT, OTHER = authority().root, STRANGERS.root
UTF_16_TAIL = OTHER.pem + ROOT.pem.decode().encode("utf-16-le")


async def checked(config: Path) -> dict[str, Any]:
    document: dict[str, Any] = (await asyncio.to_thread(check_json, config)).document
    return document


async def run(remedy: dict[str, Any], *options: str) -> None:
    """Run a remedy as it is pasted, but for the answer to its question."""
    program, *words = shlex.split(remedy["bash"])
    assert program == "stacktui"
    done = await asyncio.to_thread(stacktui, *words[:2], "--yes", *words[2:])
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("content", "id_", "line"),
    [
        (OTHER.pem.strip() + ROOT.pem, "trust-file-bad", "line 9 runs into"),
        (
            pkcs7.serialize_certificates([ROOT.certificate], Encoding.PEM),
            "trust-file-bad",
            "line 1 is PKCS #7",
        ),
        (UTF_16_TAIL, "tls-untrusted-root", "line 10 is UTF-16 from here on"),
    ],
    ids=["joined", "pkcs7", "utf-16"],
)
async def test_a_trust_file_is_named_by_its_line_and_mended(
    content: bytes, id_: str, line: str, tmp_path: Path
) -> None:
    async with scripted(Script()) as web:
        config = config_for(tmp_path, web.url)
        (tmp_path / "ca.pem").write_bytes(content)
        verdict = (await checked(config))["verdict"]
        assert verdict["id"] == id_
        assert any(line in each for each in verdict["evidence"]), verdict["evidence"]
        remedy = verdict["remedies"][0]
        assert remedy["action"] == {"kind": "repair", "key": f"{tmp_path}/ca.pem"}
        await run(remedy)
        assert (await checked(config))["ok"]
    assert (tmp_path / "ca.pem.before-stacktui").read_bytes() == content


async def test_a_good_file_beside_an_unknown_root_is_not_blamed(tmp_path: Path) -> None:
    async with scripted(Script()) as web:
        document = await checked(config_for(tmp_path, web.url, roots=(OTHER,)))
    assert "repair" not in str(document["verdict"]["remedies"])
    assert "flawed" not in document["completion"]


def principal() -> tuple[bytes, bytes]:
    """A certificate with an RSA key that signs in, and the key."""
    made = issue("sp", ("sp",), authority().root, key=rsa_key())
    return made.pem, made.key_pem


PEM, KEY = principal()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (ROOT.pem + PEM + KEY, "line 10 is the certificate of the private key"),
        ((PEM + KEY).replace(b"-----", b"------"), "line 1 has not five dashes"),
        ((PEM + KEY).decode().encode("utf-16"), "line 1 is UTF-16"),
    ],
    ids=["order", "dashes", "utf-16"],
)
async def test_a_service_principals_file_is_named_and_mended(
    content: bytes, line: str, tmp_path: Path
) -> None:
    path = tmp_path / "sp.pem"
    path.touch(0o600)
    path.write_bytes(content)
    identity = (
        f'kind = "service-principal"\nclient_id = "{CLIENT_ID}"\ntenant = "t"\n'
        f'certificate = "{path}"\n'
    )
    async with scripted(Script()) as web:
        config = config_for(tmp_path, web.url, identity=identity)
        verdict = (await checked(config))["verdict"]
        assert verdict["id"] == "sp-cert-unusable"
        assert any(line in each for each in verdict["evidence"]), verdict["evidence"]
        await run(verdict["remedies"][0])
        assert (await checked(config))["ok"]
    for each in (path, tmp_path / "sp.pem.before-stacktui"):
        assert each.stat().st_mode & 0o777 == 0o600


def test_the_dashboard_mends_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(UTF_16_TAIL)
    action = Action(ActionKind.REPAIR, key=str(path))
    finding = Finding("trust-file-bad", "t", Side.BOX, (), (), "")
    fix = Fix(finding, Remedy("write it anew", action=action), action)
    plan = plan_fix(fix, tmp_path / "config.toml", "Test", Limits())
    assert plan.values[0][0] == "line 10"
    assert plan.carry_out is not None
    assert str(path) in plan.carry_out()
    assert path.read_bytes() == OTHER.pem + ROOT.pem
    assert plan_fix(fix, tmp_path / "config.toml", "Test", Limits()).carry_out is None


def test_stores_and_trust_name_the_line_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bundle.pem"
    path.write_bytes(OTHER.pem.strip() + ROOT.pem)
    (tmp_path / "root.p7b").write_bytes(
        pkcs7.serialize_certificates([ROOT.certificate], Encoding.DER)
    )
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    shown = stacktui("certificates", "stores")
    assert shown.code == 1
    assert "line 9 runs into what stands before it" in " ".join(shown.out.split())
    assert f"→ stacktui certificates repair {path}" in shown.out
    assert "none is read" in shown.out
    refused = stacktui("certificates", "trust", "--store", str(path), str(tmp_path / "root.p7b"))
    assert refused.code == 2
    assert f"stacktui certificates repair {path}" in refused.err
    assert path.read_bytes() == OTHER.pem.strip() + ROOT.pem
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    # The .p7b itself is read as it is.
    done = stacktui("certificates", "trust", "--yes", str(tmp_path / "root.p7b"))
    assert (done.code, "Added 1 certificate" in done.out) == (0, True), done.err
