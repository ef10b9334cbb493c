"""`--log-requests FILE`: what each command asked, as lines that repeat it, without a secret."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from urllib.parse import quote

import click
import pytest

from stacktui.cli.main import cli
from stacktui.config.locations import own_bundle
from stacktui.stamp import IdentityProvider, SignInKind, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.stamp.signin.device_codes import DeviceCode, DeviceCodes
from tests.cli.test_limit_option import TALKING
from tests.product import imds_of, signing_in, stacktui, write_config

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes and devices")


def commands_of(log: Path) -> list[str]:
    """Return the lines that are not comments."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return [each for each in lines if each and not each.startswith("#")]


@pytest.mark.parametrize("command", TALKING, ids=" ".join)
def test_a_command_that_talks_to_a_stamp_takes_the_option(command: tuple[str, ...]) -> None:
    context, found = click.Context(cli), cli
    for name in command:
        assert isinstance(found, click.Group)
        sub = found.get_command(context, name)
        assert sub is not None
        found = sub
    assert [each for each in found.params if "--log-requests" in each.opts]


@posix
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("trusted_by", ["ca", "own bundle", "REQUESTS_CA_BUNDLE"])
def test_the_lines_of_a_check_can_be_run(
    idp: IdentityProvider, trusted_by: str, tmp_path: Path
) -> None:
    """Metadata, discovery, token and groups: the stamp answers each curl line as it did us."""
    log = tmp_path / "requests.sh"
    with run_in_thread(StampOptions(idp=idp, domain="local.azurestack.external")) as stamp:
        replaced, variables = ({} if trusted_by == "ca" else {"ca": ""}), dict[str, str]()
        if trusted_by == "own bundle":
            own_bundle().parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(stamp.ca_file, own_bundle())
        elif trusted_by != "ca":
            variables = {trusted_by: str(stamp.ca_file)}
        config = write_config(tmp_path, stamp.describe(), **replaced)
        # A file that the user names is written in read-only mode too.
        ran = stacktui(
            "--read-only", "check", "--config", config, "--log-requests", log, **variables
        )
        assert (ran.code, ran.err) == (0, "")
        ours = [(each.method, each.path, each.status) for each in stamp.requests]
        token = _token(stamp, commands_of(log))
        before = len(stamp.requests)
        script = "\n".join(each for each in commands_of(log) if each.startswith("curl "))
        variables = {"CLIENT_SECRET": stamp.secret, "TOKEN": token}
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        theirs = [(each.method, each.path, each.status) for each in stamp.requests[before:]]
    assert (done.returncode, done.stderr) == (0, "")
    assert theirs == ours
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    (az,) = (each for each in commands_of(log) if each.startswith("az "))
    assert "/resourcegroups?api-version=" in az
    assert f"--resource {stamp.identity_provider_audience}" in az


def _token(stamp: RunningStamp, lines: list[str]) -> str:
    """Return a token that the logged token request gets, as its user would."""
    (line,) = (each for each in lines if "CLIENT_SECRET" in each)
    done = subprocess.run(
        ["bash", "-c", line],
        env={"PATH": os.environ["PATH"], "CLIENT_SECRET": stamp.secret},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.partition('"access_token":')[2].split('"')[1]


@pytest.mark.parametrize("idp", list(IdentityProvider))
@pytest.mark.parametrize("kind", list(SignInKind))
def test_no_secret_of_any_identity_is_logged(
    idp: IdentityProvider, kind: SignInKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[str] = []
    issue = DeviceCodes.issue

    def noted(self: DeviceCodes, client_id: str, scope: str) -> DeviceCode:
        code = issue(self, client_id, scope)
        codes.append(code.device_code)
        return code

    monkeypatch.setattr(DeviceCodes, "issue", noted)
    options = StampOptions(idp=idp, device_interval=1, device_approve_after=1)
    log = tmp_path / "log"
    with run_in_thread(options) as stamp:
        described = stamp.describe()
        config = write_config(tmp_path, described, **signing_in(kind, described))
        ran = stacktui("check", "--config", config, "--log-requests", log, **imds_of(described))
        key_line = Path(stamp.certificate_file).read_text().splitlines()[3]
    assert ran.code == 0, ran
    assert bool(codes) == (kind is SignInKind.DEVICE_CODE)
    logged = log.read_text(encoding="utf-8")
    for secret in (stamp.secret, stamp.password, key_line, *codes):
        for each in (secret, quote(secret, safe="")):
            assert each not in logged
    assert "eyJ" not in logged
    assert "access_token" not in logged
    assert "resourcegroups" in logged
    assert ("Metadata: true" in logged) == (kind is SignInKind.MANAGED_IDENTITY)


def test_runs_are_appended_and_a_round_mixes_no_requests(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("# mine\n")
    with run_in_thread(StampOptions(domain="local.azurestack.external")) as stamp:
        config = write_config(tmp_path, stamp.describe())
        for _ in range(2):
            stacktui("check", "--all", "--config", config, "--log-requests", log,
                     "--format", "jsonl")  # fmt: skip
        asked = len(stamp.requests)
    text = log.read_text(encoding="utf-8")
    assert text.startswith("# mine\n# stacktui ")
    entries = text.split("\n\n")[1:]
    assert len(entries) == asked
    for entry in entries:
        first, *others = entry.split("\n")
        assert first.startswith("# 20")
        assert sum(each.startswith("curl ") for each in others) == 1


@posix
@pytest.mark.parametrize("why", ["full", "folder", "link", "directory", "fifo"])
def test_a_log_that_cannot_be_written_is_one_sentence_and_the_check_goes_on(
    why: str, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing" / "here")
    os.mkfifo(tmp_path / "fifo")
    log = {
        "full": Path("/dev/full"),
        "folder": tmp_path / "missing" / "log",
        "directory": tmp_path,
    }.get(why, tmp_path / why)
    with run_in_thread(StampOptions()) as stamp:
        config = write_config(tmp_path, stamp.describe())
        ran = stacktui("check", "--config", config, "--log-requests", log)
    assert ran.code == 0
    assert "OK in" in ran.out
    (line,) = ran.err.splitlines()
    assert line.startswith(f"stacktui: --log-requests {log}: cannot be written: ")


def test_a_log_of_requests_that_fail_says_how(tmp_path: Path) -> None:
    log, config = tmp_path / "log", tmp_path / "config.toml"
    config.write_text('[environments.A]\narm = "https://management.no.invalid"\nproxy = "none"\n')
    assert stacktui("check", "--config", config, "--log-requests", log).code == 1
    text = log.read_text(encoding="utf-8")
    assert " GET dns-not-found, " in text
    assert "https://management.no.invalid/metadata/endpoints" in commands_of(log)[0]
