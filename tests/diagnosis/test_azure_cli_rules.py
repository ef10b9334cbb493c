"""What is also seen of `az` beside a check, and of which neighbours nothing is said.

The `az` here is one as its files tell of it; the real one is in `tests/compat`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacktui.azure_cli.facts import AzFacts, AzInstallation
from stacktui.azure_cli.http_cache import KeptError
from stacktui.azure_cli.ini_files import AzCloud, BrokenFile
from stacktui.azure_cli.presence import az_facts
from stacktui.check.report import Report
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.document import report_document
from stacktui.environments.profiles import PROFILES
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.test_advisories import reported
from tests.diagnosis.test_total import TEXTS, is_harmless, shown, values
from tests.product import check_json, write_config
from tests.support.azure import installed_az, kept_by_msal, unknown_az
from tests.support.draws import draws
from tests.support.pasted import Shell

TOOLS = f"{os.path.dirname(shutil.which('env') or '/usr/bin/env')}{os.pathsep}/bin"
IDS = {"az-too-new", "az-config-broken", "az-stale-error-cache", "verification-off"}
REFUSED = '{"error":"invalid_client","error_description":"AADSTS700016: no such app"}'


@dataclass(frozen=True)
class Box:
    """A box with an `az` of its own beside a healthy stamp."""

    folder: Path
    stamp: RunningStamp
    launcher: Path

    @property
    def files(self) -> Path:
        return self.folder / "azure"

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def token_url(self) -> str:
        if self.stamp.idp is IdentityProvider.ADFS:
            return f"{self.stamp.login_url}/oauth2/token/"
        return f"{self.stamp.login_url.rstrip('/')}/{self.stamp.tenant}/oauth2/v2.0/token"

    def cloud(self, **replaced: str) -> str:
        """The section that `az cloud register` writes, with options replaced or taken out."""
        options = {
            "endpoint_active_directory": self.stamp.login_url,
            "endpoint_active_directory_resource_id": self.stamp.identity_provider_audience,
            "endpoint_resource_manager": self.stamp.arm_url,
            "profile": "2020-09-01-hybrid",
        } | replaced
        lines = [f"{name} = {value}" for name, value in options.items() if value]
        return "\n".join(["[Mine]", *lines, ""])

    def variables(self, *launchers: Path, **more: str) -> dict[str, str]:
        folders = [str(each.parent) for each in launchers or (self.launcher,)]
        path = os.pathsep.join([*folders, TOOLS])
        return {"AZURE_CONFIG_DIR": str(self.files), "PATH": path, **more}

    def seen(self, *launchers: Path, **more: str) -> dict[str, Any]:
        """What is also seen in a healthy check, by id."""
        ran = check_json(self.config, **self.variables(*launchers, **more))
        assert (ran.code, ran.err) == (0, "")
        return {each["id"]: each for each in ran.document["also_seen"]}


@pytest.fixture(scope="module", params=list(IdentityProvider))
def either(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(idp=request.param)) as running:
        yield running


@pytest.fixture
def box(entra_stamp: RunningStamp, tmp_path: Path) -> Box:
    return box_of(entra_stamp, tmp_path)


def box_of(stamp: RunningStamp, folder: Path, version: str = "2.66.2") -> Box:
    write_config(folder, stamp.describe())
    (folder / "azure").mkdir()
    return Box(folder, stamp, installed_az(folder / "az", version))


def whole(found: dict[str, Any]) -> dict[str, Any]:
    """A finding as each must be."""
    assert found["side"] == "box"
    assert all((found["title"], found["evidence"], found["remedies"], found["az_says"]))
    assert all(bool(each["bash"]) == bool(each["powershell"]) for each in found["remedies"])
    return found


@pytest.mark.parametrize("version", ["2.67.0", "2.72.9", "2.73.0", "2.80.1", "3.0.0", "2.100.0"])
def test_one_too_new(version: str, entra_stamp: RunningStamp, tmp_path: Path) -> None:
    box = box_of(entra_stamp, tmp_path, version)
    ran = check_json(box.config, **box.variables())
    assert (ran.code, ran.document["verdict"]) == (0, None)
    assert ran.document["az"][0] == {"launcher": str(box.launcher), "version": version}
    (found,) = map(whole, ran.document["also_seen"])
    assert found["id"] == "az-too-new"
    assert version in found["title"]
    assert any(str(box.launcher) in line for line in found["evidence"])
    # 2.72 is the last that works, 2.66 the only one that is supported.
    assert ("too new" in found["title"]) == (version not in ("2.67.0", "2.72.9"))


@pytest.mark.parametrize("version", ["2.66.0", "2.66.2", "2.65.1", "2.9.0", "dev", "1.99.0"])
def test_one_that_is_not(version: str, entra_stamp: RunningStamp, tmp_path: Path) -> None:
    assert box_of(entra_stamp, tmp_path, version).seen() == {}


def test_the_one_that_a_shell_runs_decides(box: Box, tmp_path: Path) -> None:
    newer = installed_az(tmp_path / "newer", "2.80.0")
    assert box.seen(box.launcher, newer) == {}
    assert box.seen(unknown_az(tmp_path / "shims"), newer) == {}  # what it starts is not known
    found = whole(box.seen(newer, box.launcher)["az-too-new"])
    (use,) = found["remedies"]
    assert str(box.launcher) in use["title"]
    variables = box.variables(newer, box.launcher)
    path = variables.pop("PATH")
    shell = Shell(tmp_path)
    document = shell.check_after(
        f'export PATH="$PATH:{path}"', use["bash"], config=box.config, **variables
    )
    assert document["also_seen"] == []


def test_the_mend_puts_the_last_one_that_works_first(
    entra_stamp: RunningStamp, tmp_path: Path
) -> None:
    """A Python that only notes what it is to install, and makes the files that tell of it.

    A newer one has a command, and does not run.
    """
    box = box_of(entra_stamp, tmp_path, "2.80.0")
    (remedy,) = whole(box.seen()["az-too-new"])["remedies"]
    python = tmp_path / "python" / "python3.11"
    python.parent.mkdir()
    shim = python.with_name("python3.12")
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.12: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    python.write_text(
        "#!/bin/sh\n"
        '[ "$1" != -c ] || exit 0\n'
        f'echo "$@" >> {tmp_path}/asked\n'
        'if [ "$2" = venv ]; then\n'
        '  mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && exit 0\n'
        "fi\n"
        'prefix="$(dirname "$(dirname "$0")")"\n'
        f'cp -r {installed_az(tmp_path / "made", "2.66.2").parent.parent}/lib "$prefix"\n'
        'printf "#!%s/bin/python\\n" "$prefix" > "$prefix/bin/az" && chmod +x "$prefix/bin/az"\n'
    )
    python.chmod(0o755)
    variables = box.variables(box.launcher)
    path = f"{python.parent}:{variables.pop('PATH')}"
    document = Shell(tmp_path).check_after(
        f'export PATH="{path}:$PATH"', remedy["bash"], config=box.config, **variables
    )
    assert document["also_seen"] == []
    assert document["az"][0]["version"] == "2.66.2"
    asked = (tmp_path / "asked").read_text().splitlines()
    home = os.environ["HOME"]
    assert asked == [f"-m venv {home}/az-2.66", "-m pip install azure-cli==2.66.*"]


@pytest.mark.parametrize("profile", ["latest", "2020-09-01-hybrid"])
def test_not_said_of_what_is_no_stamp(
    profile: str, entra_stamp: RunningStamp, tmp_path: Path
) -> None:
    """A newer az works with public Azure, and of what gave no metadata nothing is known."""
    box = box_of(entra_stamp, tmp_path, "2.80.0")
    fault = None if profile == "latest" else "metadata-not-json"
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        config = write_config(tmp_path, stamp.describe(), profile=f'"{profile}"')
        also = check_json(config, **box.variables()).document["also_seen"]
    assert IDS.isdisjoint(each["id"] for each in also)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_in_another_encoding_is_written_anew(box: Box, encoding: str) -> None:
    path = box.files / "clouds.config"
    path.write_text(box.cloud(), encoding=encoding)
    found = whole(box.seen()["az-config-broken"])
    assert ("will remove" in found["title"]) is (encoding == "utf-8-sig")
    assert any(str(path) in line for line in found["evidence"])
    (remedy,) = found["remedies"]
    variables = box.variables()
    shell = Shell(box.folder)
    path_before = variables.pop("PATH")
    document = shell.check_after(
        f'export PATH="$PATH:{path_before}"', remedy["bash"], config=box.config, **variables
    )
    assert document["also_seen"] == []
    assert path.read_text(encoding="utf-8") == box.cloud()
    assert not path.with_name("clouds.config.new").exists()


@pytest.mark.parametrize(
    ("name", "content", "shown", "az_says"),
    [
        ("clouds.config", "profile = latest\n", "line 1 is before any [section]: az removes",
         "in bad format and has been removed"),
        ("clouds.config", "[A]\n[A]\n", "line 2: the section A is there already: every az",
         "DuplicateSectionError"),
        ("clouds.config", "[A]\nprofile = 2021-hybrid\n", "2021-hybrid: az knows no such profile",
         "CLIError: Profile"),
        ("clouds.config", "[A]\nendpoint_x = %20\n", "must be written %%",
         "InterpolationSyntaxError"),
        ("config", "name = Mine\n", "line 1 is before any [section]: every az command fails",
         "MissingSectionHeaderError"),
        ("config", "\x1b[31m\n", "config: line 1", "MissingSectionHeaderError"),
    ],
)  # fmt: skip
def test_a_file_that_az_cannot_use(
    box: Box, name: str, content: str, shown: str, az_says: str
) -> None:
    """The words are those of the cause: the title's, and az's."""
    (box.files / name).write_text(content)
    found = whole(box.seen()["az-config-broken"])
    assert shown in found["evidence"][0]
    assert any(word in found["title"] for word in ("line ", "profile", "%%"))
    assert az_says in found["az_says"]
    (remedy,) = found["remedies"]
    aside = remedy["bash"].split(" && ")[0]
    done = Shell(box.folder).run(aside)
    assert done.returncode == 0, done
    assert (box.files / f"{name}.broken").read_text() == content
    assert box.seen() == {}
    assert ("az cloud register" in remedy["bash"]) is (name == "clouds.config")
    assert "az cloud set -n Test" in remedy["bash"]


def test_a_cloud_as_az_registers_it(either: RunningStamp, tmp_path: Path) -> None:
    box = box_of(either, tmp_path)
    (box.files / "clouds.config").write_text(box.cloud())
    (box.files / "config").write_text("[cloud]\nname = Mine\n")
    assert box.seen() == {}


@pytest.mark.parametrize(
    ("option", "value", "fix"),
    [
        ("endpoint_active_directory", "", "--endpoint-active-directory "),
        ("endpoint_active_directory", "https://login.test", "--endpoint-active-directory "),
        (
            "endpoint_active_directory_resource_id",
            "https://old.test/",
            "--endpoint-active-directory-resource-id ",
        ),
        ("endpoint_active_directory_resource_id", "", "--endpoint-active-directory-resource-id "),
        ("profile", "", "--profile 2020-09-01-hybrid"),
        ("profile", "latest", "--profile 2020-09-01-hybrid"),
    ],
)
def test_a_cloud_that_is_not_what_the_stamp_says(
    box: Box, option: str, value: str, fix: str
) -> None:
    (box.files / "clouds.config").write_text(box.cloud(**{option: value}))
    found = whole(box.seen()["az-config-broken"])
    (line,) = found["evidence"]
    assert line.startswith(f"[Mine] {option} is {value or 'missing'}")
    what = {"profile": "profile", "endpoint_active_directory": "login endpoint"}
    assert f"has another {what.get(option, 'audience')} than" in found["title"]
    (remedy,) = found["remedies"]
    assert fix in remedy["bash"]
    assert remedy["bash"].count("--") == fix.count("--")


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_slash_of_a_login_endpoint_is_nothing(box: Box, slash: str) -> None:
    login = box.stamp.login_url.rstrip("/").replace("localhost", "LOCALHOST") + slash
    (box.files / "clouds.config").write_text(box.cloud(endpoint_active_directory=login))
    assert box.seen() == {}


def test_other_clouds_are_not_judged(box: Box) -> None:
    """Another stamp's, and one of ours that is not in use while a good one is."""
    other = box.cloud(endpoint_resource_manager="https://management.other.test", profile="latest")
    old = box.cloud(endpoint_active_directory="https://old.test").replace("Mine", "Old")
    good = box.cloud().replace("Mine", "Good")
    (box.files / "clouds.config").write_text(other + old + good)
    (box.files / "config").write_text("[cloud]\nname = Good\n")
    assert box.seen() == {}
    (box.files / "config").write_text("[cloud]\nname = Old\n")
    assert set(box.seen()) == {"az-config-broken"}


@pytest.mark.parametrize("others", [None, "", "[Other]\nprofile = 2020-09-01-hybrid\n"])
@pytest.mark.parametrize("by", ["config", "AZURE_CLOUD_NAME"])
def test_an_active_cloud_that_is_not_registered(by: str, others: str | None, box: Box) -> None:
    """az says so at its next command, and goes to public Azure."""
    if others is not None:
        (box.files / "clouds.config").write_text(others)
    variables = {"AZURE_CLOUD_NAME": "Gone"} if by != "config" else {}
    if by == "config":
        (box.files / "config").write_text("[cloud]\nname = Gone\n")
    found = whole(box.seen(**variables)["az-config-broken"])
    assert "active cloud Gone is not registered" in found["title"]
    assert found["az_says"].startswith("The cloud '…' is not registered.")
    (remedy,) = found["remedies"]
    assert remedy["bash"].startswith("unset AZURE_CLOUD_NAME; az cloud register -n Gone ")
    # A cloud of this stamp that is registered is taken.
    (box.files / "clouds.config").write_text(box.cloud())
    (remedy,) = box.seen(**variables)["az-config-broken"]["remedies"]
    assert remedy["bash"] == "unset AZURE_CLOUD_NAME; az cloud set -n Mine"


def test_an_active_cloud_of_which_nothing_is_said(box: Box) -> None:
    """A built-in one, one of an odd name, and one in a file too large to be read."""
    (box.files / "config").write_text("[cloud]\nname = AzureUSGovernment\n")
    assert box.seen() == {}
    (box.files / "config").write_text("[cloud]\nname = a%%b\x1b\n")
    (box.files / "clouds.config").write_text(box.cloud().replace("Mine", "a%%b\x1b"))
    assert box.seen() == {}
    (box.files / "clouds.config").write_text(box.cloud() + "# \n" * 1024 * 1024)
    assert box.seen() == {}


def test_without_an_az_its_files_are_nobodys(box: Box, tmp_path: Path) -> None:
    (box.files / "clouds.config").write_text("broken")
    (box.files / "msal_http_cache.bin").write_bytes(kept_by_msal(box.token_url, 400, REFUSED))
    assert box.seen(tmp_path / "none" / "az") == {}


def test_an_error_that_az_keeps(either: RunningStamp, tmp_path: Path) -> None:
    box = box_of(either, tmp_path)
    path = box.files / "msal_http_cache.bin"
    path.write_bytes(kept_by_msal(box.token_url, 400, REFUSED))
    found = whole(box.seen()["az-stale-error-cache"])
    assert "AADSTS700016" in found["title"]
    assert any(box.token_url in line for line in found["evidence"])
    wait, forget = found["remedies"]
    assert 0 < int(wait["bash"].removeprefix("sleep ")) <= 60
    assert wait["powershell"] == f"Start-Sleep -Seconds {wait['bash'].removeprefix('sleep ')}"
    assert Shell(tmp_path).run(forget["bash"]).returncode == 0
    assert not path.exists()
    assert box.seen() == {}


def test_an_error_of_another_tenant_is_not_ours(box: Box) -> None:
    other = box.token_url.replace(box.stamp.tenant, "contoso")
    (box.files / "msal_http_cache.bin").write_bytes(kept_by_msal(other, 400, REFUSED))
    assert box.seen() == {}


def test_where_our_sign_in_fails_too_the_error_may_be_true(box: Box, tmp_path: Path) -> None:
    (box.files / "msal_http_cache.bin").write_bytes(kept_by_msal(box.token_url, 400, REFUSED))
    wrong = tmp_path / "wrong"
    wrong.write_text("no such secret")
    config = write_config(tmp_path, box.stamp.describe(), secret=f'{{ file = "{wrong}" }}')
    document = check_json(config, **box.variables()).document
    assert document["verdict"]["id"] == "sp-secret-wrong"
    assert document["also_seen"] == []


@pytest.mark.parametrize(
    ("later", "expected"),
    [(0, True), (58, True), (61, False), (3600, False), (-120, False)],
)
def test_an_error_is_stale_as_long_as_it_is_kept(
    later: int, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = reported(None)
    (url,) = {
        each.url
        for step in report.steps
        for each in step.evidence.exchanges
        if each.method == "POST"
    }
    (tmp_path / "msal_http_cache.bin").write_bytes(kept_by_msal(url, 400, REFUSED))
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(installed_az(tmp_path / "az", "2.66.2").parent))
    (kept,) = ((found := az_facts(PROFILES)) and found.kept) or ()
    moved = replace(report, started=kept.made + timedelta(seconds=later), az=found)
    said = {each.id for each in diagnose(moved).also_seen}
    assert ("az-stale-error-cache" in said) is expected


@pytest.mark.parametrize(
    "variables",
    [
        {"AZURE_CLI_DISABLE_CONNECTION_VERIFICATION": "1"},
        {"AZURE_CLI_DISABLE_CONNECTION_VERIFICATION": "0", "ADAL_PYTHON_SSL_NO_VERIFY": "1"},
        {"ADAL_PYTHON_SSL_NO_VERIFY": "yes"},
    ],
    ids=len,
)
@pytest.mark.parametrize("installed", [True, False])
def test_verification_that_is_switched_off(
    variables: dict[str, str], installed: bool, box: Box, tmp_path: Path
) -> None:
    launchers = (box.launcher,) if installed else (tmp_path / "none" / "az",)
    found = whole(box.seen(*launchers, **variables)["verification-off"])
    for name, value in variables.items():
        assert name in found["title"]
        assert any(line.startswith(f"{name}={value}: ") for line in found["evidence"])
    unset, export = found["remedies"]
    assert export["bash"] == f"stacktui certificates export --config {box.config}"
    document = Shell(tmp_path).check_after(unset["bash"], config=box.config, **variables)
    assert document["also_seen"] == []


def test_an_empty_variable_switches_nothing_off(box: Box) -> None:
    assert box.seen(AZURE_CLI_DISABLE_CONNECTION_VERIFICATION="") == {}


def test_beside_a_verdict(box: Box, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(fault="tls-untrusted-root")) as stamp:
        config = write_config(tmp_path, stamp.describe())
        ran = check_json(config, **box.variables(ADAL_PYTHON_SSL_NO_VERIFY="1"))
    assert ran.document["verdict"]["id"] == "tls-untrusted-root"
    assert "verification-off" in [each["id"] for each in ran.document["also_seen"]]


FACTS = st.builds(
    AzFacts,
    folder=values(Path),
    installations=values(tuple[AzInstallation, ...]),
    broken=values(tuple[BrokenFile, ...]),
    clouds=values(tuple[AzCloud, ...]),
    active=TEXTS,
    kept=values(tuple[KeptError, ...]),
    unverified=values(tuple[tuple[str, str], ...]),
)
MOMENTS = st.integers(1_500_000_000, 2_500_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)


@pytest.fixture(scope="module")
def healthy() -> Report:
    return reported(None)


@settings(
    max_examples=draws(100),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_any_facts_are_told_harmlessly(healthy: Report, data: st.DataObject) -> None:
    facts = data.draw(FACTS)
    versions = st.sampled_from(["2.66.2", "2.67.0", "2.9999", "99999.1", "", "2.x", "\x1b"]) | TEXTS
    runs = data.draw(st.none() | st.builds(AzInstallation, values(Path), versions))
    arm = healthy.target.environment.arm
    clouds = tuple(replace(each, arm=arm) for each in facts.clouds)
    ends = data.draw(MOMENTS)
    urls = st.sampled_from([each.url for step in healthy.steps for each in step.evidence.exchanges])
    kept = tuple(
        replace(each, url=data.draw(urls), made=healthy.started, ends=ends) for each in facts.kept
    )
    report = replace(healthy, az=replace(facts, runs=runs, clouds=clouds, kept=kept))
    found = diagnose(report)
    assert found.verdict is None
    for each in found.also_seen:
        assert each.evidence
        assert all(is_harmless(line) for line in shown(each))
    assert json.loads(json.dumps(report_document(report, found)))["schema"] == 1
