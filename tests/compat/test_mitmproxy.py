"""A real interceptor in front of the stamp is named, and its root trusted by the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stacktui.certificates.chain import describe
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import check_json, stacktui, write_config
from tests.support.authority import Issued, issue, rsa_key
from tests.support.pasted import Shell

from . import interceptor as real
from .interceptor import Interceptor, intercepting

DOMAIN = "local.azurestack.external"
ARM = f"management.{DOMAIN}"
WAYS = ("HTTPS_PROXY", "transparent")


@pytest.fixture(scope="session")
def mitmdump() -> Path:
    """The real program; without one, skips and says how to enable these tests."""
    path = real.find()
    if path is None:
        pytest.skip(real.TURN_ON)
    return path


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest, mitmdump: Path) -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(idp=request.param, domain=DOMAIN)) as running:
        yield running


@pytest.fixture(scope="module")
def interceptor(
    mitmdump: Path, stamp: RunningStamp, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Interceptor]:
    """A mitmproxy with its defaults: it presents the leaf alone, under its own root."""
    with intercepting(mitmdump, stamp, tmp_path_factory.mktemp("mitmproxy")) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Client:
    """Write a config that connects through an interceptor, in one of the two ways."""

    config: Path
    variables: dict[str, str]

    def check(self) -> dict[str, Any]:
        ran = check_json(self.config, **self.variables)
        assert (ran.code == 0, ran.err) == (ran.document["ok"], "")
        return ran.document


def client(way: str, through: Interceptor, stamp: RunningStamp, folder: Path) -> Client:
    if way == "HTTPS_PROXY":
        config = write_config(folder, stamp.describe(), proxy="", resolve="")
        return Client(config, {"HTTPS_PROXY": through.url})
    return Client(write_config(folder, stamp.describe(), resolve=table(through.pins)), {})


def table(pins: dict[str, str]) -> str:
    return "{ " + ", ".join(f'"{name}" = "{address}"' for name, address in pins.items()) + " }"


def trust_of(verdict: dict[str, Any]) -> str:
    """Return the one command of a verdict that trusts a root."""
    (command,) = (each["bash"] for each in verdict["remedies"] if "trust" in each["bash"])
    return str(command)


@pytest.mark.parametrize("way", WAYS)
def test_an_interceptor_is_named_and_trusted(
    way: str, interceptor: Interceptor, stamp: RunningStamp, tmp_path: Path
) -> None:
    through = client(way, interceptor, stamp, tmp_path)
    document = through.check()
    verdict = document["verdict"]
    assert (verdict["id"], verdict["side"]) == ("tls-intercepted", "network")
    assert verdict["title"].startswith(f"mitmproxy signs for {ARM}")
    assert any(f"{ARM}, issued by mitmproxy" in line for line in verdict["evidence"])
    told = f"through the proxy {interceptor.url}" if way == "HTTPS_PROXY" else "resolve pins"
    assert any(told in line for line in verdict["evidence"])
    # The stamp's operator can do nothing about certificates that somebody else makes.
    assert document["also_seen"] == []
    typed = f"{interceptor.root}\n"
    mended = Shell(tmp_path).check_after(
        trust_of(verdict), config=through.config, typed=typed, **through.variables
    )
    assert (mended["ok"], mended["verdict"], mended["also_seen"]) == (True, None, [])
    assert stacktui("certificates", "untrust", str(interceptor.root)).code == 0
    assert through.check()["verdict"]["id"] == "tls-intercepted"


def company(folder: Path, name: str) -> Issued:
    """Make a CA for mitmproxy that signs by an intermediate and presents its whole chain."""
    folder.mkdir()
    root = issue(f"{name} Root CA", (), None, key=rsa_key())
    below = issue(f"{name} Issuing CA", (), root, key=rsa_key())
    (folder / "mitmproxy-ca.pem").write_bytes(below.key_pem + below.pem + root.pem)
    return root


@pytest.mark.parametrize("way", WAYS)
def test_a_root_that_is_presented_is_trusted_by_its_digits(
    way: str, mitmdump: Path, stamp: RunningStamp, tmp_path: Path
) -> None:
    root = company(tmp_path / "made", "Contoso Proxy")
    with intercepting(mitmdump, stamp, tmp_path / "made") as running:
        through = client(way, running, stamp, tmp_path)
        verdict = through.check()["verdict"]
        assert (verdict["id"], verdict["side"]) == ("tls-intercepted", "network")
        assert verdict["title"].startswith(f"Contoso Proxy Root CA signs for {ARM}")
        assert trusted_by_digits(root, verdict, through, tmp_path)


def trusted_by_digits(root: Issued, verdict: dict[str, Any], through: Client, folder: Path) -> bool:
    """Trust the root on a terminal; return whether the check is then healthy."""
    digits = describe(root.der).sha256.replace(":", "")[-8:]
    mended = Shell(folder).check_after_dialogue(
        trust_of(verdict),
        config=through.config,
        replies=[("last 8 digits", digits)],
        **through.variables,
    )
    assert mended["verdict"] is None, mended["verdict"]
    return bool(mended["ok"])


@pytest.mark.parametrize("known", [True, False])
def test_a_root_of_a_plain_name_is_told_by_the_recorded_one(
    known: bool, mitmdump: Path, stamp: RunningStamp, tmp_path: Path
) -> None:
    """Only a recorded root shows that this one is another."""
    root = company(tmp_path / "made", "Fabrikam")
    with intercepting(mitmdump, stamp, tmp_path / "made") as running:
        if known:
            assert check_json(write_config(tmp_path, stamp.describe())).code == 0
        through = client("transparent", running, stamp, tmp_path)
        verdict = through.check()["verdict"]
        assert verdict["id"] == ("tls-intercepted" if known else "tls-untrusted-root")
        before = any("AzureStackSelfSignedRootCert" in line for line in verdict["evidence"])
        assert before == known
        if known:
            assert trusted_by_digits(root, verdict, through, tmp_path)


def test_only_the_login_host_is_intercepted(
    interceptor: Interceptor, stamp: RunningStamp, tmp_path: Path
) -> None:
    (login,) = (name for name in interceptor.pins if name.startswith(("login.", "adfs.")))
    pins = table(dict(stamp.resolve) | {login: interceptor.pins[login]})
    through = Client(write_config(tmp_path, stamp.describe(), resolve=pins), {})
    document = through.check()
    verdict = document["verdict"]
    assert [each["outcome"] for each in document["steps"]] == ["ok", "failed", "skipped"]
    assert verdict["id"] == "login-unreachable"
    assert login.partition(":")[0] in verdict["title"]
    assert [each["id"] for each in document["also_seen"]] == ["tls-intercepted"]
    assert any("issued by mitmproxy" in line for line in verdict["evidence"])
    mended = Shell(tmp_path).check_after(
        trust_of(verdict), config=through.config, typed=f"{interceptor.root}\n"
    )
    assert (mended["ok"], mended["verdict"]) == (True, None)


@pytest.mark.parametrize("trusted", [True, False])
def test_a_proxy_that_opens_nothing_is_no_interceptor(
    trusted: bool, mitmdump: Path, stamp: RunningStamp, tmp_path: Path
) -> None:
    """Through the very same program, what the stamp itself presents is judged."""
    made = tmp_path / "mitmproxy"
    with intercepting(mitmdump, stamp, made, "--ignore-hosts", ".*") as running:
        config = write_config(
            tmp_path, stamp.describe(), proxy="", resolve="", **({} if trusted else {"ca": ""})
        )
        ran = check_json(config, HTTPS_PROXY=running.url)
    verdict = ran.document["verdict"]
    if trusted:
        assert (ran.code, verdict) == (0, None)
    else:
        assert verdict["id"] != "tls-intercepted"
        assert "AzureStackSelfSignedRootCert" in verdict["title"]
