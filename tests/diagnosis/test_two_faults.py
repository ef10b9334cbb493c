"""Two faults at once: the first stops the check, and the second is seen all the same."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.diagnosis.servers import DIRECT, Script, arm_error, document_on, scripted
from tests.diagnosis.test_pinning_rules import checked, config_for, ids, metadata
from tests.product import check_json, limited, stacktui, write_config
from tests.support.authority import authority, server_context
from tests.support.listeners import listening, saying, silent
from tests.support.web import Asked, Raw
from tests.support.web import answer as web_answer

# Whose names are in no hosts file.
DOMAIN = "east.contoso.invalid"
STRANGERS = authority("Strangers")


def of_login(document: dict[str, Any]) -> dict[str, Any]:
    (found,) = (each for each in document["also_seen"] if each["id"] == "login-unreachable")
    return dict(found)


async def recorded_with_login(tmp_path: Path, login: str, script: Script, arm: str) -> Path:
    """A config whose stamp was found well once, and signs users in at `login` since."""
    config = config_for(tmp_path, arm)
    assert (await checked(config))["ok"]
    script.metadata = metadata(login)
    ran = await asyncio.to_thread(_accept, config)
    assert ran == 0
    return config


def _accept(config: Path) -> int:
    return stacktui("environments", "accept", "--yes", "--config", str(config), "Test").code


async def test_an_untrusted_root_hides_no_login_host_without_a_name(tmp_path: Path) -> None:
    script = Script()
    async with scripted(script) as web:
        login = "https://adfs.nowhere.invalid"
        config = await recorded_with_login(tmp_path, login, script, web.url)
        (tmp_path / "ca.pem").write_bytes(STRANGERS.root.pem)
        document = await checked(config)
    assert document["verdict"]["id"] in ("unexplained", "tls-untrusted-root")
    assert document["verdict"]["id"] != "login-unreachable"
    found = of_login(document)
    assert found["side"] == "box"
    assert found["title"] == (
        "The login host adfs.nowhere.invalid cannot be used: "
        "The name adfs.nowhere.invalid does not exist for this machine"
    )
    assert "dns-not-found" in ids(document)


async def test_a_missing_secret_hides_no_login_host_where_nothing_listens(
    tmp_path: Path, closed_port: int
) -> None:
    script = Script(metadata=metadata(f"https://localhost:{closed_port}"))
    async with scripted(script) as web:
        config = config_for(tmp_path, web.url)
        (tmp_path / "secret").unlink()
        document = await checked(config)
    assert document["verdict"]["id"] == "secret-missing"
    assert of_login(document)["side"] == "stamp"
    assert "tcp-refused" in ids(document)


async def test_a_login_host_of_another_root_is_seen_and_told_nothing(tmp_path: Path) -> None:
    context = STRANGERS.server(STRANGERS.leaf("localhost"))
    async with scripted(Script(), context) as login:
        script = Script(metadata=metadata(login.url))
        async with scripted(script) as web:
            config = config_for(tmp_path, web.url)
            (tmp_path / "secret").unlink()
            document = await checked(config)
        assert login.asked == []
    assert document["verdict"]["id"] == "secret-missing"
    assert "Strangers" in " ".join(of_login(document)["evidence"])


async def test_a_healthy_login_host_is_no_fault_and_told_nothing(tmp_path: Path) -> None:
    async with scripted(Script()) as login:
        async with scripted(Script(metadata=metadata(login.url))) as web:
            config = config_for(tmp_path, web.url)
            (tmp_path / "secret").unlink()
            document = await checked(config)
        assert login.listener.connections == 1
        assert login.asked == []
    assert not {"login-unreachable", "unexplained"} & set(ids(document))


async def test_a_broken_trust_file_hides_no_fault_before_tls(
    tmp_path: Path, closed_port: int
) -> None:
    config = config_for(tmp_path, f"https://localhost:{closed_port}")
    (tmp_path / "ca.pem").unlink()
    document = await checked(config)
    assert document["verdict"]["id"] == "tcp-refused"
    async with scripted(Script()) as web:
        config = config_for(tmp_path, web.url)
        (tmp_path / "ca.pem").unlink()
        document = await checked(config)
    assert document["verdict"]["id"] == "trust-file-missing"


async def test_what_is_looked_at_besides_takes_no_longer_than_the_step(tmp_path: Path) -> None:
    async with listening(silent) as login:
        script = Script(metadata=metadata(login.url))
        async with scripted(script) as web:
            config = config_for(tmp_path, web.url)
            (tmp_path / "secret").unlink()
            started = time.monotonic()
            document = await checked(config, *limited(tls=0.5))
            took = time.monotonic() - started
    assert "tls-timeout" in ids(document)
    assert took < 5


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("fault", ["tls-untrusted-root", "tcp-refused", "tls-expired"])
def test_the_same_fault_of_the_same_cause_is_said_once(
    fault: str, idp: IdentityProvider, tmp_path: Path
) -> None:
    with run_in_thread(StampOptions(fault=fault, idp=idp, domain=DOMAIN)) as stamp:
        document = check_json(write_config(tmp_path, stamp.describe())).document
    assert document["verdict"]["id"] == fault
    assert document["also_seen"] == []


def test_by_the_naming_rule_alone_no_host_must_exist(tmp_path: Path) -> None:
    """A stamp under Entra has no AD FS: that its name does not resolve is no fault."""
    with run_in_thread(StampOptions(fault="metadata-server-error", domain=DOMAIN)) as stamp:
        described = stamp.describe()
        arm = f"management.{DOMAIN}:443"
        pins = {key: pin for key, pin in described["resolve"].items() if key == arm}
        text = ", ".join(f'"{name}" = "{pin}"' for name, pin in pins.items())
        assert pins
        document = check_json(write_config(tmp_path, described, resolve=f"{{ {text} }}")).document
    assert document["verdict"]["id"] == "metadata-server-error"
    assert document["also_seen"] == []


async def test_a_wildcard_that_answers_for_it_is_no_login_host(tmp_path: Path) -> None:
    """What a pin (or DNS) says of every name of a domain tells nothing of one that nobody named."""
    leaf = authority().leaf("management.local.test", "portal.local.test")
    down = arm_error("503 Service Unavailable", "ServiceUnavailable")
    async with scripted(Script(down), server_context(leaf, authority().intermediate.pem)) as web:
        pin = f'"*.local.test:443" = "127.0.0.1:{web.listener.port}"'
        settings = f"{DIRECT}\nresolve = {{ {pin} }}"
        document = await document_on(tmp_path, "https://management.local.test", settings=settings)
        assert web.listener.connections == 1
    assert document["verdict"]["id"] == "metadata-unavailable"
    assert document["probes"] == []
    assert "login-unreachable" not in ids(document)


async def test_what_is_behind_a_proxy_that_fails_is_not_told_twice(
    tmp_path: Path, closed_port: int
) -> None:
    async with scripted(Script()) as web:
        config = config_for(tmp_path, web.url)
        text = config.read_text().replace('"none"', f'"http://127.0.0.1:{closed_port}"')
        config.write_text(text)
        document = await checked(config)
    assert document["verdict"]["id"] == "proxy-unreachable"
    assert document["also_seen"] == []


async def test_a_port_that_speaks_http_at_the_login_host(tmp_path: Path) -> None:
    script = Script()
    async with (
        listening(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as login,
        scripted(script) as web,
    ):
        script.metadata = metadata(login.url)
        document = await checked(config_for(tmp_path, web.url))
    assert document["verdict"]["id"] == "login-unreachable"
    assert ids(document)[0] == "tls-not-tls"


GATEWAY = b"<!DOCTYPE html><title>Guest Network Sign-in</title>"


async def test_an_untrusted_root_is_told_before_the_page_of_the_gateway_behind_it(
    tmp_path: Path,
) -> None:
    """Nothing is asked of a host that is not trusted: once its root is, the page is named."""
    script = Script(metadata=web_answer(GATEWAY, Content_Type="text/html"))
    context = STRANGERS.server(STRANGERS.leaf("localhost"))
    async with scripted(script, context) as web:
        first = await document_on(tmp_path, web.url)
        assert first["verdict"]["id"] == "tls-untrusted-root"
        assert web.asked == []
        second = await document_on(tmp_path, web.url, roots=(STRANGERS.root,))
    assert second["verdict"]["id"] == "metadata-intercepted"


async def test_a_gateways_page_hides_no_login_host_that_is_not_trusted(tmp_path: Path) -> None:
    script = Script()
    trusted = (authority().root, STRANGERS.root)
    context = STRANGERS.server(STRANGERS.leaf("localhost"))
    async with scripted(Script(), context) as login, scripted(script) as web:
        script.metadata = metadata(login.url)
        config = config_for(tmp_path, web.url, *trusted)
        assert (await checked(config))["ok"]
        (tmp_path / "ca.pem").write_bytes(authority().root.pem)
        script.metadata = web_answer(GATEWAY, Content_Type="text/html")
        document = await checked(config)
    assert document["verdict"]["id"] == "metadata-intercepted"
    assert "Strangers" in " ".join(of_login(document)["evidence"])


class Aged(Script):
    """An ARM that serves one old api-version, and refuses the caller by that."""

    def answer(self, asked: Asked) -> Raw:
        if not asked.target.startswith("/subscriptions/"):
            return super().answer(asked)
        if asked.target.endswith("api-version=2018-05-01"):
            return self.groups
        words = "The supported versions are '2016-02-01,2018-05-01'."
        return arm_error("400 Bad Request", "InvalidApiVersionParameter", words)


async def test_another_profile_hides_no_missing_role(tmp_path: Path) -> None:
    script = Aged(groups=arm_error("403 Forbidden", "AuthorizationFailed", "no"))
    async with scripted(script) as web:
        document = await document_on(tmp_path, web.url)
    assert document["verdict"]["id"] == "api-version-unsupported"
    assert "it asks for api-version 2019-10-01" in document["verdict"]["evidence"]
    (role,) = (each for each in document["also_seen"] if each["id"] == "arm-forbidden")
    assert role["title"].startswith("Once the profile fits: ")
    assert role["remedies"]


async def test_a_profile_that_does_not_fit_is_the_only_fault_where_it_is(tmp_path: Path) -> None:
    async with scripted(Aged()) as web:
        document = await document_on(tmp_path, web.url)
    assert document["verdict"]["id"] == "api-version-unsupported"
    assert not [each for each in ids(document) if each.startswith("arm-")]


async def test_drift_hides_no_login_host_that_is_dead(tmp_path: Path, closed_port: int) -> None:
    """The recorded one; nobody is led to the other, which somebody else may have named."""
    script = Script()
    async with scripted(script) as web, scripted(Script()) as elsewhere:
        dead = f"https://localhost:{closed_port}"
        config = await recorded_with_login(tmp_path, dead, script, web.url)
        script.metadata = metadata(elsewhere.url)
        document = await checked(config)
        assert elsewhere.listener.connections == 0
    assert document["verdict"]["id"] == "metadata-drift"
    assert of_login(document)["side"] == "stamp"
    assert "tcp-refused" in ids(document)


@pytest.mark.parametrize(("tenant", "reported"), [("adfs", True), ("contoso.example", False)])
def test_on_first_use_who_signs_in_by_adfs_is_told_of_it(
    tenant: str, reported: bool, tmp_path: Path
) -> None:
    """Nothing is recorded yet, but the identity's tenant says that the stamp has an AD FS."""
    options = StampOptions(fault="tls-untrusted-root", idp=IdentityProvider.ADFS, domain=DOMAIN)
    with run_in_thread(options) as stamp:
        described = stamp.describe()
        arm = f"management.{DOMAIN}:443"
        text = f'{{ "{arm}" = "{described["resolve"][arm]}" }}'
        config = write_config(tmp_path, described, resolve=text, tenant=f'"{tenant}"')
        document = check_json(config).document
    assert document["verdict"]["id"] == "tls-untrusted-root"
    assert ids(document) == (["login-unreachable", "dns-not-found"] if reported else [])
