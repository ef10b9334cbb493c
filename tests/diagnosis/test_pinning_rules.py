"""What differs from the stamp as it was first found well: trust on first use, from outside."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from stacktui.config.locations import stamps_file
from tests.diagnosis.servers import CLIENT_ID, SUBSCRIPTION, Script, said, scripted
from tests.product import check_json, stacktui
from tests.support.authority import DAY, Issued, authority, issue, server_context
from tests.support.pasted import Shell
from tests.support.web import Web

AUDIENCE = "https://arm/1"


def config_for(folder: Path, arm: str, *roots: Issued, name: str = "Test") -> Path:
    (folder / "ca.pem").write_bytes(b"".join(each.pem for each in roots or (authority().root,)))
    (folder / "secret").write_text("a-secret-of-ours")
    config = folder / "config.toml"
    config.write_text(
        f'[environments.{json.dumps(name)}]\narm = "{arm}"\nca = "{folder}/ca.pem"\n'
        f'identity = "sp"\nsubscription = "{SUBSCRIPTION}"\nproxy = "none"\n'
        f'[identities.sp]\nkind = "service-principal"\nclient_id = "{CLIENT_ID}"\n'
        f'secret = {{ file = "{folder}/secret" }}\n',
        encoding="utf-8",
    )
    return config


async def checked(config: Path, *options: str) -> dict[str, Any]:
    return (await asyncio.to_thread(check_json, config, *options)).document


def ids(document: dict[str, Any]) -> list[str]:
    return [each["id"] for each in document["also_seen"]]


def metadata(login: str, audience: str = AUDIENCE) -> Any:
    return said({"authentication": {"loginEndpoint": f"{login}/adfs", "audiences": [audience]}})


def token_requests(web: Web) -> list[str]:
    return [each.target for each in web.asked if "token" in each.target]


async def test_another_login_endpoint_gets_no_secret_until_it_is_accepted(tmp_path: Path) -> None:
    script = Script()
    async with scripted(Script()) as elsewhere, scripted(script) as web:
        config = config_for(tmp_path, web.url)
        assert (await checked(config))["ok"]
        script.metadata = metadata(elsewhere.url)
        document = await checked(config)
        verdict = document["verdict"]
        assert (verdict["id"], verdict["side"]) == ("metadata-drift", "network")
        assert [each["outcome"] for each in document["steps"]] == ["failed", "skipped", "skipped"]
        assert any(
            f"{web.url}/adfs" in line and f"{elsewhere.url}/adfs" in line
            for line in verdict["evidence"]
        )
        assert elsewhere.listener.connections == 0  # nobody is led there
        (remedy,) = (each for each in verdict["remedies"] if each["bash"])
        assert remedy["action"] == {"kind": "accept"}
        shell = Shell(tmp_path)
        refused = await asyncio.to_thread(shell.run, remedy["bash"], typed="n\n")
        assert refused.returncode == 2
        assert (await checked(config))["verdict"]["id"] == "metadata-drift"
        after = await asyncio.to_thread(
            shell.check_after, remedy["bash"], config=config, typed="y\n"
        )
        assert after["ok"]
        assert token_requests(elsewhere)


async def test_a_memory_that_cannot_be_read_is_told_and_can_be_moved_away(tmp_path: Path) -> None:
    script = Script()
    async with scripted(script) as web:
        config = config_for(tmp_path, web.url)
        assert (await checked(config))["ok"]
        asked = len(token_requests(web))
        stamps_file().write_text("{")
        script.metadata = metadata(web.url, "https://arm/2")
        verdict = (await checked(config))["verdict"]
        assert (verdict["id"], verdict["side"]) == ("record-unreadable", "box")
        assert f"{stamps_file()} cannot be read: it is damaged" in verdict["evidence"]
        assert len(token_requests(web)) == asked
        (remedy,) = (each for each in verdict["remedies"] if each["bash"])
        after = await asyncio.to_thread(
            Shell(tmp_path).check_after, remedy["bash"], config=config, typed="y\n"
        )
    assert after["ok"]
    assert after["recorded"]["audience"] == "https://arm/2"


async def test_another_audience_is_drift_too(tmp_path: Path) -> None:
    script = Script()
    async with scripted(script) as web:
        config = config_for(tmp_path, web.url)
        assert (await checked(config))["ok"]
        asked = len(token_requests(web))
        script.metadata = metadata(web.url, "https://arm/2")
        verdict = (await checked(config))["verdict"]
        assert verdict["id"] == "metadata-drift"
        assert "audience: recorded https://arm/1, now https://arm/2" in verdict["evidence"]
        assert len(token_requests(web)) == asked


async def test_a_first_check_an_other_config_and_an_other_stamp_know_nothing(
    tmp_path: Path,
) -> None:
    script, folder = Script(), tmp_path / "other"
    folder.mkdir()
    async with scripted(Script()) as other, scripted(script) as web:
        config = config_for(tmp_path, web.url)
        assert (await checked(config))["ok"]
        script.metadata = metadata(web.url, "https://arm/2")
        assert (await checked(config_for(folder, web.url)))["ok"]
        assert (await checked(config_for(tmp_path, other.url)))["ok"]


async def test_a_check_that_failed_records_nothing(tmp_path: Path) -> None:
    script = Script(token=said({"error": "invalid_client"}, "401 Unauthorized"))
    async with scripted(script) as web:
        config = config_for(tmp_path, web.url)
        assert not (await checked(config))["ok"]
        script.metadata = metadata(web.url, "https://arm/2")
        script.token = Script().token
        assert (await checked(config))["ok"]


async def test_what_cannot_be_recorded_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.write_text("no folder")
    monkeypatch.setenv("HOME", str(home))
    async with scripted(Script()) as web:
        config = config_for(tmp_path, web.url)
        assert (await checked(config))["ok"]
        assert (await checked(config))["ok"]


def _leaf(root: Issued) -> Issued:
    return issue("localhost", ("localhost", "127.0.0.1"), root)


async def _on_one_port(tmp_path: Path, first: Issued, second: Issued, *trusted: Issued) -> Any:
    """The documents of a check under the first root, and of one under the second."""
    documents = []
    port = 0
    for root in (first, second):
        context = server_context(_leaf(root), root.pem)
        async with scripted(Script(), context, port=port) as web:
            port = web.listener.port
            documents.append(await checked(config_for(tmp_path, web.url, *trusted)))
    return documents


async def test_another_root_than_the_recorded_one_is_an_interception(tmp_path: Path) -> None:
    before, after = issue("Fabrikam Root CA", (), None), issue("Litware Trust", (), None)
    good, bad = await _on_one_port(tmp_path, before, after, before)
    assert good["ok"]
    verdict = bad["verdict"]
    assert (verdict["id"], verdict["side"]) == ("tls-intercepted", "network")
    assert any(
        "Fabrikam Root CA signed for it; now Litware Trust" in x for x in verdict["evidence"]
    )
    assert "tls-untrusted-root" not in ids(bad)
    remedy = next(each for each in verdict["remedies"] if each["bash"])
    assert remedy["action"]["kind"] == "trust-root"


async def test_a_root_of_the_recorded_name_is_a_stamp_deployed_anew(tmp_path: Path) -> None:
    name = "AzureStackSelfSignedRootCert"
    before, after = issue(name, (), None), issue(name, (), None)
    good, bad = await _on_one_port(tmp_path, before, after, before)
    assert good["ok"]
    assert bad["verdict"]["id"] == "tls-untrusted-root"
    assert any("deployed anew, or somebody imitates it" in x for x in bad["verdict"]["evidence"])
    assert "is not the root of that name" in bad["verdict"]["title"]


async def test_a_trusted_root_that_was_not_there_before_is_told(tmp_path: Path) -> None:
    before, after = issue("Fabrikam Root CA", (), None), issue("Litware Trust", (), None)
    context = server_context(_leaf(before), before.pem)
    async with scripted(Script(), context) as web:
        config = config_for(tmp_path, web.url, before, after)
        good = await checked(config)
        port = web.listener.port
    async with scripted(Script(), server_context(_leaf(after), after.pem), port=port):
        other = await checked(config)
        shell = Shell(tmp_path)
        (finding,) = [each for each in other["also_seen"] if each["id"] == "root-changed"]
        accepted = await asyncio.to_thread(
            shell.check_after, finding["remedies"][0]["bash"], config=config, typed="y\n"
        )
    assert good["ok"]
    assert "root-changed" not in ids(good)
    assert (other["ok"], finding["side"]) == (True, "network")
    assert any("Fabrikam Root CA" in line for line in finding["evidence"])
    assert accepted["ok"]
    assert "root-changed" not in ids(accepted)


async def test_a_renewed_certificate_under_the_same_root_is_no_news(tmp_path: Path) -> None:
    root = issue("Fabrikam Root CA", (), None)
    one, two = issue("Fabrikam CA 1", (), root), issue("Fabrikam CA 2", (), root, starts=-2 * DAY)
    port = 0
    for issuer in (one, two):
        context = server_context(issue("localhost", ("localhost",), issuer), issuer.pem)
        async with scripted(Script(), context, port=port) as web:
            port = web.listener.port
            document = await checked(config_for(tmp_path, web.url, root))
        assert document["ok"]
        assert "root-changed" not in ids(document)


async def test_what_was_recorded_is_shown(tmp_path: Path) -> None:
    async with scripted(Script()) as web:
        config = config_for(tmp_path, web.url)
        assert (await checked(config))["ok"]
    shown = await asyncio.to_thread(stacktui, "environments", "show", "--config", str(config))
    assert shown.code == 0
    assert AUDIENCE in shown.out
    assert "Contoso Root CA" in shown.out
