"""Whether az would work here, said beside a check: what needs no real az (see `tests.compat`)."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stacktui.azure_cli import facts as az_facts_module
from stacktui.azure_cli.facts import AzFacts, AzInstallation
from stacktui.certificates.trust import TrustUsed, VerifyRules, new_context
from stacktui.certificates.verify import verify
from stacktui.check.az_clients import az_clients, rules_of
from stacktui.stamp import Cloud, IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.transport.proxy import ProxyUsed
from stacktui.transport.records import ConnectionFacts, TlsFacts
from tests.diagnosis.schema import validate
from tests.product import check_json, stacktui, write_config
from tests.support.authority import authority
from tests.support.azure import installed_az, kept_by_msal, registered_cloud, unknown_az

TOOLS = os.environ["PATH"]


@pytest.fixture(scope="module")
def stamp() -> Any:
    with run_in_thread(StampOptions(idp=IdentityProvider.ADFS)) as running:
        yield running


class Box:
    """Fake installations of az on PATH, beside a healthy stamp."""

    def __init__(self, stamp: RunningStamp, folder: Path, *versions: str) -> None:
        self.stamp, self.folder = stamp, folder
        self.config = write_config(folder, stamp.describe())
        self.launchers = [installed_az(folder / each, each) for each in versions]
        self.files = folder / "azure"
        self.files.mkdir()

    def variables(self, **more: str) -> dict[str, str]:
        path = os.pathsep.join([*(str(each.parent) for each in self.launchers), TOOLS])
        trusting = {"REQUESTS_CA_BUNDLE": self.stamp.ca_file}
        return {"PATH": path, "AZURE_CONFIG_DIR": str(self.files), **trusting, **more}

    def clients(self, **more: str) -> list[dict[str, Any]]:
        ran = check_json(self.config, **self.variables(**more))
        assert (ran.code, ran.document["ok"]) == (0, True), ran.err
        validate(ran.document)
        found: list[dict[str, Any]] = ran.document["clients"]
        return found


def ids(client: dict[str, Any]) -> list[str]:
    return [each["id"] for each in client["findings"]]


@pytest.mark.parametrize(
    ("version", "works", "found"),
    [
        ("2.66.2", True, []),
        ("2.67.0", True, ["az-too-new"]),
        ("2.72.0", True, ["az-too-new"]),
        ("2.73.0", False, ["az-too-new"]),
        ("2.91.0", False, ["az-too-new"]),
        ("dev", None, ["az-undecided"]),
    ],
)
def test_the_boundary_is_2_73(
    version: str, works: bool | None, found: list[str], stamp: RunningStamp, tmp_path: Path
) -> None:
    box = Box(stamp, tmp_path, version)
    (client,) = box.clients()
    expected = ("az", str(box.launchers[0]), version, works)
    assert tuple(client[key] for key in ("name", "path", "version", "works")) == expected
    assert ids(client) == found
    for finding in client["findings"]:
        assert all((finding["title"], finding["evidence"], finding["remedies"]))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"metadata_form": "newer-only"}, "metadata-api-version"),
        ({"metadata_form": "byte-order-mark"}, "metadata-not-json"),
        ({"metadata_form": "list"}, "metadata-incomplete"),
        ({"metadata_form": "no-graph"}, "metadata-incomplete"),
        ({"adfs_default_scope": False}, "adfs-client-not-allowed"),
    ],
)
def test_what_this_check_takes_and_az_does_not(
    options: dict[str, Any], found: str, tmp_path: Path
) -> None:
    """Metadata counts where az has to register the stamp alone."""
    with run_in_thread(StampOptions(idp=IdentityProvider.ADFS, **options)) as stamp:
        box = Box(stamp, tmp_path, "2.66.2")
        (client,) = box.clients()
        assert (client["works"], ids(client)) == (False, [found])
        registered_cloud(
            box.files, stamp.arm_url, stamp.login_url, stamp.identity_provider_audience
        )
        (client,) = box.clients()
        assert client["works"] is found.startswith("metadata")


def test_a_name_in_the_cn_alone_is_refused_here_too(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(san=False)) as stamp:
        box = Box(stamp, tmp_path, "2.66.2")
        document = check_json(box.config, **box.variables()).document
    assert document["verdict"]["id"] == "tls-name-mismatch"
    assert document["verdict"]["side"] == "stamp"
    assert ids(document["clients"][0])[0] == "tls-name-mismatch"


def test_each_is_listed_and_the_first_is_what_the_text_says(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    box = Box(stamp, tmp_path, "2.91.0", "2.66.2")
    assert [each["works"] for each in box.clients()] == [False, True]
    ran = stacktui("check", "--config", box.config, **box.variables())
    assert (ran.code, ran.err) == (0, "")
    assert "OK for stacktui · az would fail: az-too-new, in " in ran.out
    box.launchers.reverse()
    ran = stacktui("check", "--config", box.config, **box.variables())
    assert "\nOK in " in ran.out


def test_one_that_cannot_start(stamp: RunningStamp, tmp_path: Path) -> None:
    """Its Python was removed; another az on this machine starts."""
    box = Box(stamp, tmp_path, "2.66.2", "2.66.3")
    (box.launchers[0].parent / "python").unlink()
    broken, other = box.clients()
    assert (broken["works"], ids(broken), other["works"]) == (False, ["az-python-missing"], True)
    (finding,) = broken["findings"]
    assert str(box.launchers[0].parent / "python") in finding["evidence"][0]
    assert str(box.launchers[1].parent) in finding["remedies"][0]["bash"]
    (box.launchers[1].parent / "python").unlink()
    assert "venv" in box.clients()[0]["findings"][0]["remedies"][0]["bash"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the folder's links")
def test_az_takes_no_folder_of_roots(stamp: RunningStamp, tmp_path: Path) -> None:
    """requests does, and so az registers the stamp; it refuses the variable when it signs in."""
    box = Box(stamp, tmp_path, "2.66.2")
    roots = tmp_path / "roots"
    roots.mkdir()
    shutil.copy(stamp.ca_file, roots / "root.pem")
    subprocess.run(["openssl", "rehash", str(roots)], check=True, capture_output=True)
    (client,) = box.clients(REQUESTS_CA_BUNDLE=str(roots))
    assert (client["works"], ids(client)) == (False, ["trust-file-bad"])
    (client,) = box.clients(REQUESTS_CA_BUNDLE="", CURL_CA_BUNDLE=str(roots))
    assert client["works"] is True


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system encrypts")
def test_tokens_that_az_is_to_encrypt(stamp: RunningStamp, tmp_path: Path) -> None:
    """That takes PyGObject, which no virtual environment has of itself; else nobody can tell."""
    box = Box(stamp, tmp_path, "2.66.2")
    (client,) = box.clients(AZURE_CORE_ENCRYPT_TOKEN_CACHE="true")
    assert (client["works"], ids(client)) == (None, ["az-undecided"])
    (box.launchers[0].parents[1] / "pyvenv.cfg").touch()
    (client,) = box.clients(AZURE_CORE_ENCRYPT_TOKEN_CACHE="true")
    assert (client["works"], ids(client)) == (False, ["az-config-broken"])
    remedy = client["findings"][0]["remedies"][0]
    assert remedy["bash"] == "unset AZURE_CORE_ENCRYPT_TOKEN_CACHE"


def test_a_login_that_cannot_be_written_down(stamp: RunningStamp, tmp_path: Path) -> None:
    box = Box(stamp, tmp_path, "2.66.2")
    (box.files / "clouds.config").mkdir()
    (client,) = box.clients()
    assert (client["works"], ids(client)) == (False, ["az-config-broken"])
    assert "mv -- " in client["findings"][0]["remedies"][0]["bash"]
    (client,) = box.clients(AZURE_CONFIG_DIR=str(box.config))
    assert (client["works"], ids(client)) == (False, ["az-config-broken"])


def test_one_of_no_known_form_is_listed_and_not_run(stamp: RunningStamp, tmp_path: Path) -> None:
    box = Box(stamp, tmp_path, "2.91.0")
    wrapper = unknown_az(tmp_path / "wrapper")
    box.launchers.insert(0, wrapper)
    found = {each["path"]: each["works"] for each in box.clients()}
    assert found == {str(wrapper): None, str(box.launchers[1]): False}
    ran = stacktui("check", "--config", box.config, **box.variables())
    assert "\nOK in " in ran.out  # a shell runs the other
    assert not (wrapper.parent / "ran").exists()


def test_what_az_alone_fails_at_is_told_with_its_remedies(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    box = Box(stamp, tmp_path, "2.66.2")
    (box.files / "msal_token_cache.json").write_text('{"AccessToken": {"a": "s3cret')
    (client,) = box.clients()
    assert (client["works"], ids(client)) == (False, ["az-config-broken"])
    assert "s3cret" not in str(client)
    assert client["findings"][0]["remedies"][0]["bash"].startswith("mv -- ")


def test_the_variable_decides_before_the_file(stamp: RunningStamp, tmp_path: Path) -> None:
    box = Box(stamp, tmp_path, "2.66.2")
    (box.files / "config").write_text("[core]\nuse_msal_http_cache = perhaps\n")
    assert ids(box.clients()[0]) == ["az-config-broken"]
    assert ids(box.clients(AZURE_CORE_USE_MSAL_HTTP_CACHE="no")[0]) == []


def test_an_error_that_az_keeps_counts_where_it_is_of_this_identity(
    stamp: RunningStamp, tmp_path: Path
) -> None:
    box = Box(stamp, tmp_path, "2.66.2")
    url = f"{stamp.login_url}/oauth2/token/"
    said = '{"error":"invalid_client","error_description":"MSIS9607: \'%s\' is not known"}'
    for client_id, expected in ((stamp.client_id, ["az-stale-error-cache"]), (stamp.tenant, [])):
        kept = kept_by_msal(url, 400, said % client_id)
        (box.files / "msal_http_cache.bin").write_bytes(kept)
        assert ids(box.clients()[0]) == expected
    assert ids(box.clients(AZURE_CORE_USE_MSAL_HTTP_CACHE="false")[0]) == []


@pytest.mark.parametrize("variable", ["AzureCloud", "ours", ""])
def test_the_cloud_that_a_variable_names(
    variable: str, stamp: RunningStamp, tmp_path: Path
) -> None:
    box = Box(stamp, tmp_path, "2.66.2")
    audience = stamp.identity_provider_audience
    registered_cloud(box.files, stamp.arm_url, stamp.login_url, audience)
    (client,) = box.clients(**({"AZURE_CLOUD_NAME": variable} if variable else {}))
    assert client["works"] is (variable != "AzureCloud")


def test_public_azure_needs_no_older_az(tmp_path: Path) -> None:
    with run_in_thread(StampOptions(cloud=Cloud.PUBLIC)) as stamp:
        box = Box(stamp, tmp_path, "2.91.0")
        write_config(tmp_path, stamp.describe(), profile='"latest"')
        document = check_json(box.config, **box.variables(AZURE_CLOUD_NAME="AzureCloud")).document
    assert document["ok"], document["verdict"]
    assert not {"az-too-new", "az-instance-discovery"} & set(ids(document["clients"][0]))
    assert document["clients"][0]["works"] is not True  # its names are pinned to the stamp here


def test_another_proxy_is_a_reason_not_to_know(stamp: RunningStamp, tmp_path: Path) -> None:
    """The environment's `proxy` is `none`, and az takes the variable."""
    (client,) = Box(stamp, tmp_path, "2.66.2").clients(HTTPS_PROXY="http://127.0.0.1:9")
    assert (client["works"], ids(client)) == (None, ["az-undecided"])
    assert "127.0.0.1:9" in client["findings"][0]["title"]


def test_on_a_fault_it_is_said_whether_az_has_it_too(stamp: RunningStamp, tmp_path: Path) -> None:
    box = Box(stamp, tmp_path, "2.66.2")
    wrong = tmp_path / "wrong"
    wrong.write_text("wr0ng")
    write_config(tmp_path, stamp.describe(), secret=f'{{ file = "{wrong}" }}')
    ran = check_json(box.config, **box.variables())
    assert (ran.code, ran.document["ok"]) == (1, False)
    (client,) = ran.document["clients"]
    assert (client["works"], ids(client)) == (False, ["sp-secret-wrong"])
    assert "az has the same fault" in client["findings"][0]["evidence"]
    ran = stacktui("check", "--config", box.config, **box.variables())
    assert " · az has the same fault\n" in ran.out


def test_a_fault_of_our_own_settings_is_not_az_s(stamp: RunningStamp, tmp_path: Path) -> None:
    box = Box(stamp, tmp_path, "2.66.2")
    write_config(tmp_path, stamp.describe(), secret='{ env = "NOT_SET_ANYWHERE" }')
    (client,) = check_json(box.config, **box.variables()).document["clients"]
    assert (client["works"], ids(client)) == (None, ["az-undecided"])


def test_az_is_read_once_a_round(
    stamp: RunningStamp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box(stamp, tmp_path, "2.66.2")
    text = box.config.read_text()
    table = text[text.index("[environments.Test]") : text.index("[identities.")]
    more = [table.replace("Test", name) for name in ("Second", "Third")]
    box.config.write_text("\n".join([text, *more]))
    reads = []
    read: Callable[..., AzFacts] = az_facts_module.read_facts
    monkeypatch.setattr(
        az_facts_module, "read_facts", lambda *each: reads.append(each) or read(*each)
    )
    ran = stacktui("check", "--all", "--config", box.config, "--format", "json", **box.variables())
    checks = ran.document["checks"]
    assert [each["clients"][0]["works"] for each in checks] == [True] * 3
    assert len(reads) == 1


@pytest.mark.parametrize(
    ("python", "urllib3", "strict", "common_name"),
    [
        ("3.11", "1.26.20", False, True),
        ("3.12", "2.8.0", False, False),
        ("3.13", "2.3.0", False, False),
        ("3.13", "2.4.0", True, False),
        ("", "", False, False),
    ],
)
def test_how_strict_it_is_depends_on_its_python_and_urllib3(
    python: str,
    urllib3: str,
    strict: bool,
    common_name: bool,
) -> None:
    rules = rules_of(AzInstallation(Path("/az"), "2.66.2", python, urllib3))
    assert rules == VerifyRules(common_name=common_name, strict=strict)


def test_strict_is_what_openssl_calls_so() -> None:
    """A CA without a key usage is refused, and an intermediate in the file is enough."""
    chain = (authority().leaf("a.example").der, authority().intermediate.der)
    codes = [
        verify(chain, "a.example", context_with(store, rules)).code
        for store, rules in (
            (authority().root, VerifyRules()),
            (authority().root, VerifyRules(strict=True)),
            (authority().intermediate, VerifyRules()),
        )
    ]
    assert [code == 0 for code in codes] == [True, False, False]


def context_with(store: Any, rules: VerifyRules) -> ssl.SSLContext:
    context = new_context((), rules)
    context.load_verify_locations(cadata=store.pem.decode())
    return context


def test_a_pinned_name_that_az_cannot_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    (tmp_path / "ca.pem").write_bytes(authority().root.pem)
    connection = ConnectionFacts(
        "management.example",
        443,
        ProxyUsed(None, "no proxy set"),
        pinned="10.0.0.1",
        tls=TlsFacts("management.example", chain=(authority().root.der,)),
    )
    az = AzFacts(Path("/azure"), (AzInstallation(Path("/az"), "2.66.2"),))
    for addresses, unresolved, told in (
        ((), True, False),
        (None, False, True),
        (("10.0.0.1",), False, False),
        (("10.0.0.2",), False, True),
    ):
        found = {"management.example": addresses}
        (client,) = az_clients(az, (connection,), TrustUsed(()), None, found)
        (host,) = client.hosts
        assert (host.unresolved, bool(host.way)) == (unresolved, told), addresses
    (client,) = az_clients(az, (replace(connection, pinned=None),), TrustUsed(()), None, {})
    assert not client.hosts[0].way
