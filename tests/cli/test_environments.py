"""`stacktui environments show|set|accept|forget`, as processes: what they do, say and leave."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import sys
import time
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from stacktui.check.pinning import AcceptError, ask_stamp
from stacktui.check.settings import load_settings
from stacktui.cli.main import main
from stacktui.config.locations import mark_demo, stamps_file
from stacktui.environments.config import TEXTS
from stacktui.environments.record import StampRecord, read_record, write_record
from stacktui.stamp import StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.servers import Script, said, scripted
from tests.product import Ran, check_json, stacktui, write_config
from tests.support.authority import authority
from tests.support.listeners import closed_port
from tests.support.pasted import on_terminal
from tests.support.web import Raw

HOSTILE = "a\x1b[2J\x1b]0;owned\x07b\u202ec"
CONFIG = """# by hand
theme = 'ascii'   # kept

[environments.West]
# where ARM is
arm = "https://management.west.example" # user endpoint
unknown = 1
proxy = "http://ops:geheim-5512@proxy.west.example:8080"

# the identities
[identities.ops]
kind = "device-code"
"""


def process(*arguments: str | Path) -> Ran:
    return harmless(stacktui("environments", *map(str, arguments)))


def environments(*arguments: str | Path) -> Ran:
    """The same from the first line of `main` to its exit code, less the start of a process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["stacktui", "environments", *map(str, arguments)])
        patch.setattr(sys, "stdin", None)
        with pytest.raises(SystemExit) as ended:
            main()
    for number, handler in handlers.items():
        signal.signal(number, handler)
    written = []
    for stream in (out, err):
        stream.seek(0)
        written.append(stream.read())
    return harmless(Ran(int(ended.value.code or 0), *written))


def harmless(ran: Ran) -> Ran:
    for line in (ran.out + ran.err).split("\n"):
        assert line == "" or line.isprintable(), line
    return ran


def refused(*arguments: str | Path, code: int = 2) -> str:
    """The last line of a refusal; an unknown key of the config may be told before it."""
    ran = environments(*arguments)
    assert (ran.code, ran.out) == (code, ""), ran
    *before, line = ran.err.splitlines()
    assert line.startswith("stacktui: ")
    assert all("is not a known key" in each for each in before), ran.err
    return line.removeprefix("stacktui: ")


def said_to(*arguments: str | Path, replies: list[tuple[str, str]]) -> tuple[int, str]:
    """The same on a terminal, on which nothing of what is shown may act."""
    command = [sys.executable, "-m", "stacktui", "environments", *map(str, arguments)]
    code, screen = on_terminal(command, replies, os.environ)
    assert "\x1b" not in screen
    assert "\u202e" not in screen
    return code, screen


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def values(config: Path, name: str = "West") -> dict[str, object]:
    table: dict[str, object] = tomllib.loads(config.read_text(encoding="utf-8"))
    found: dict[str, object] = table["environments"][name]  # type: ignore[index]
    return found


# set

SETTABLE = {
    "arm": "https://adminmanagement.west.example:8443",
    "profile": "2018-03-01-hybrid",
    "identity": "ops",
    "subscription": "5f0e9a10-0000-4000-8000-000000000001",
    "ca": "/etc/ssl/west.pem",
    "proxy": "none",
    "vm_image_aliases": "https://web.west.example/aliases.json",
}


def test_every_key_has_its_test() -> None:
    assert set(SETTABLE) == set(TEXTS)


@pytest.mark.parametrize("key", SETTABLE)
def test_a_key_is_set_and_taken_out_again(key: str, config: Path) -> None:
    ran = environments("set", "--config", config, "West", f"{key}={SETTABLE[key]}", "--no-check")
    assert (ran.code, ran.out) == (0, "")
    assert values(config)[key] == SETTABLE[key]
    if key == "arm":
        assert "(was: https://management.west.example)" in ran.err
        assert "has no arm" in refused("set", "--config", config, "West", "arm=")
    else:
        taken = environments("set", "--config", config, "West", f"{key}=", "--no-check")
        assert taken.code == 0
        assert "taken out" in taken.err
        assert key not in values(config)


def test_comments_order_and_unknown_keys_stay(config: Path) -> None:
    changes = ("proxy=", "profile=2018-03-01-hybrid")
    ran = process("set", "--config", config, "West", *changes, "--no-check")
    assert ran.code == 0
    gone = 'proxy = "http://ops:geheim-5512@proxy.west.example:8080"\n'
    come = 'profile = "2018-03-01-hybrid"\n'
    assert config.read_text(encoding="utf-8") == CONFIG.replace(gone, come)


def test_several_at_once_are_all_reported(config: Path) -> None:
    pairs = [f"{key}={value}" for key, value in SETTABLE.items()]
    ran = environments("set", "--config", config, "West", *pairs, "--no-check")
    told = [line for line in ran.err.splitlines() if line.startswith("West: ")]
    assert (ran.code, len(told)) == (0, len(pairs))
    assert values(config) == {"unknown": 1} | SETTABLE


def test_a_limit_is_set_shown_and_taken_out_again(config: Path) -> None:
    ran = environments("set", "--config", config, "West", "limits.connect=15", "limits.pages=7")
    assert (ran.code, ran.out) == (0, "")
    assert values(config)["limits"] == {"connect": 15, "pages": 7}
    assert "connect = 15, pages = 7" in environments("show", "--config", config, "West").out
    ran = environments("set", "--config", config, "West", "limits.connect=2.5", "limits.pages=")
    assert "limits.connect = 2.5 (was: 15)" in ran.err
    assert values(config)["limits"] == {"connect": 2.5}


@pytest.mark.parametrize(
    ("profile", "verdict"),
    [("2018-03-01-hybrid", "ok"), ("2019-03-01-hybrid", "api-version-unsupported")],
)
def test_another_profile_is_checked_at_once(profile: str, verdict: str, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(build="1811")) as stamp:
        config = write_config(tmp_path, stamp.describe())
        ran = process("set", "--config", config, "Test", f"profile={profile}")
        assert ran.code == 0  # it was written, whatever the check finds
        assert f"Test with this profile: {verdict}; again: " in ran.err, ran
        assert f"stacktui check --config {config} -- Test" in ran.err
        checked = stacktui("check", "--config", config).out
        assert ran.out.splitlines()[0] == checked.splitlines()[0]
        assert f"· {profile} ·" in checked
        asked = len(stamp.requests)
        same = process("set", "--config", config, "Test", f"profile={profile}", "proxy=none")
        left = process("set", "--config", config, "Test", "profile=", "--no-check")
        assert (same.out, left.out) == ("", "")
        assert "not checked with this profile yet: stacktui check" in left.err
        assert len(stamp.requests) == asked


def test_a_profile_is_set_where_nothing_can_be_checked(config: Path) -> None:
    unusable = CONFIG.replace("proxy = ", 'identity = "nobody"\nproxy = ')
    config.write_text(unusable, encoding="utf-8")
    ran = environments("set", "--config", config, "West", "profile=2018-03-01-hybrid")
    assert (ran.code, ran.out) == (0, "")
    assert "West with this profile: not checked: " in ran.err
    assert values(config)["profile"] == "2018-03-01-hybrid"


REFUSED = {
    "a limit out of range": (["limits.tls=0"], "limits.tls must be a number of seconds from 0.05"),
    "a limit that is no number": (["limits.tls=x"], "limits.tls must be a number of seconds from"),
    "a part of a page": (["limits.pages=1.5"], "limits.pages must be a whole number of pages"),
    "a near limit": (["limits.conect=2"], "did you mean limits.connect?"),
    "no sign": (["profile"], "write KEY=VALUE"),
    "no key": (["=x"], "cannot be set"),
    "a near key": (["profil=2018-03-01-hybrid"], "did you mean profile?"),
    "pins": (["resolve=a:443"], "resolve cannot be set"),
    "a name": (["name=x"], "cannot be set"),
    "an unknown profile": (["profile=2018-03-01-hybird"], "did you mean 2018-03-01-hybrid?"),
    "http": (["arm=http://management.west.example"], "try https://management.west.example"),
    "a path": (["arm=https://management.west.example/x"], "without a path"),
    "a user in arm": (["arm=https://me:geheim-1@h"], "must not hold a user name"),
    "no arm": (["arm="], "has no arm"),
    "an unknown identity": (["identity=nobody"], "identity 'nobody' is not there; known: ops"),
    "a proxy of another kind": (["proxy=socks5://p:1"], "not socks5://"),
    "a proxy with a bad port": (["proxy=http://u:geheim-2@p:x"], "a proxy must be"),
    "an unknown home": (["ca=~nobody-there/x.pem"], "home of a user who is not there"),
    "the second of two": (["profile=2018-03-01-hybrid", "arm=x"], "must be https://host"),
    "the first of two": (["arm=x", "profile=2018-03-01-hybrid"], "must be https://host"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_config_would_not_take_changes_nothing(what: str, config: Path) -> None:
    pairs, told = REFUSED[what]
    line = refused("set", "--config", config, "West", *pairs)
    assert told in line
    assert "geheim" not in line
    assert config.read_text(encoding="utf-8") == CONFIG


def test_bytes_that_are_no_text_change_nothing(config: Path) -> None:
    ran = process("set", "--config", config, "West", "subscription=a\udcffb")
    assert (ran.code, ran.out) == (2, "")
    assert "UTF-8" in ran.err
    assert config.read_text(encoding="utf-8") == CONFIG


@pytest.mark.parametrize("name", ["Nope", "west", "", "West\n", HOSTILE])
def test_an_unknown_environment_changes_nothing(name: str, config: Path) -> None:
    refused("set", "--config", config, "--", name, "profile=2018-03-01-hybrid")
    assert config.read_text(encoding="utf-8") == CONFIG


@pytest.mark.parametrize("name", ["--help", "-n", "--config", "--", "a=b", "a b'\"c", HOSTILE])
def test_any_name_is_one_argument(name: str, config: Path) -> None:
    config.write_text(CONFIG.replace("[environments.West]", f"[environments.{json.dumps(name)}]"))
    line = "arm=https://management.east.example"
    assert environments("set", "--config", config, "--", name, line).code == 0
    assert values(config, name)["arm"] == "https://management.east.example"
    assert "management.east.example" in environments("show", "--config", config, "--", name).out


@pytest.mark.parametrize("value", [HOSTILE, "a\nb\rc", "a\u2028b", '"""', "'''", "#", "=", "\\"])
def test_a_hostile_value_is_kept_as_it_is_and_shown_harmless(value: str, config: Path) -> None:
    assert environments("set", "--config", config, "West", f"subscription={value}").code == 0
    assert values(config)["subscription"] == value.strip()
    again = environments("set", "--config", config, "West", "subscription=x")  # tells what was
    assert again.code == 0


def test_names_of_the_config_do_not_act_on_a_terminal(config: Path) -> None:
    config.write_text(CONFIG.replace("[identities.ops]", f"[identities.{json.dumps(HOSTILE)}]"))
    for pair in (f"identity={HOSTILE}x", f"{HOSTILE}=x", f"profile={HOSTILE}", f"arm={HOSTILE}"):
        code, _ = said_to("set", "--config", config, "West", pair, replies=[])
        assert code == 2


@pytest.mark.parametrize("content", [b"arm = [", b"\xff", b"[environments]\nWest = 1\n", b""])
def test_a_config_that_cannot_be_read_is_left_alone(content: bytes, config: Path) -> None:
    config.write_bytes(content)
    for arguments in (["set", "West", "proxy=none"], ["show", "West"], ["forget", "West", "--yes"]):
        refused(*arguments, "--config", config)
    assert config.read_bytes() == content


def test_a_proxys_password_is_never_shown(config: Path) -> None:
    shown = [
        environments("show", "--config", config),
        environments("show", "--config", config, "--format", "json"),
        environments("set", "--config", config, "West", "proxy=http://u:geheim-77@p:1"),
        environments("show", "--config", config),
        environments("set", "--config", config, "West", "proxy=http://u:geheim-78@p:1", "arm=x"),
        environments("set", "--config", config, "West", "proxy="),
    ]
    assert "proxy.west.example:8080" in shown[0].out
    assert not any("geheim" in each.out + each.err for each in shown)


# show


def test_show_shows_the_settings_and_that_nothing_is_recorded(config: Path) -> None:
    ran = process("show", "--config", config)
    assert (ran.code, ran.err.count("\n")) == (0, 1)  # of the unknown key
    assert ran.out.splitlines() == [
        "West",
        "  arm              https://management.west.example",
        "  profile          2020-09-01-hybrid",
        "  proxy            proxy.west.example:8080",
        "",
        "Nothing is recorded yet.",
    ]
    document = environments("show", "--config", config, "--format", "json").document
    assert (document["schema"], document["environment"], document["recorded"]) == (1, "West", None)
    assert document["settings"]["arm"] == "https://management.west.example"


def test_show_shows_every_pin(config: Path) -> None:
    pins = 'resolve = { "a.example:443" = "127.0.0.1:1", "b.example:443" = "127.0.0.1:2" }\n'
    config.write_text(CONFIG.replace("unknown = 1\n", pins))
    shown = environments("show", "--config", config)
    settings = environments("show", "--config", config, "--format", "json").document["settings"]
    for place, pin in (("a.example:443", "127.0.0.1:1"), ("b.example:443", "127.0.0.1:2")):
        assert f"{place} = {pin}" in shown.out
        assert f"{place} = {pin}" in settings["resolve"]


def test_show_shows_what_was_recorded(config: Path) -> None:
    environment = load_settings(config).target().environment
    when = datetime(2026, 5, 3, 8, 0, tzinfo=UTC)
    login = "https://adfs.west.example/adfs"
    for top, root in ((authority().root.der, sha256(authority().root.der).hexdigest()),
                      (authority().intermediate.der, "")):  # fmt: skip
        record = StampRecord(environment.arm, login, "https://arm/1", when, top)
        assert write_record(config, environment, record) == ""
        found = environments("show", "--config", config, "--format", "json").document["recorded"]
        assert found["login endpoint"] == login
        assert found["audience"] == "https://arm/1"
        assert found["recorded"] == "2026-05-03 08:00 UTC"
        assert found["root"].startswith("Contoso Root CA")
        assert bytes.fromhex(root).hex(":").upper() in found["root"]
        assert ("SHA-256" in found["root"]) == bool(root)
        assert "What was recorded of the stamp" in environments("show", "--config", config).out


def test_show_of_a_hostile_record_is_harmless(config: Path) -> None:
    environment = load_settings(config).target().environment
    for top in (b"", b"\x30", b"no certificate"):
        record = StampRecord(environment.arm, HOSTILE, HOSTILE, datetime.now(UTC), top)
        write_record(config, environment, record)
        for form in ("text", "json"):
            assert environments("show", "--config", config, "--format", form).code == 0


@pytest.mark.parametrize("content", [b"\xff", b"{}", b"[" * 9999])
def test_a_damaged_memory_is_reported(content: bytes, config: Path) -> None:
    stamps_file().parent.mkdir(parents=True)
    stamps_file().write_bytes(content)
    ran = environments("show", "--config", config)
    assert (ran.code, f"{stamps_file()} cannot be read: it is damaged" in ran.err) == (0, True)
    assert "What was recorded cannot be read." in ran.out
    assert "it is damaged" in refused("forget", "--config", config, "--yes", "West")


# accept and forget

LOGIN = "https://elsewhere.example/adfs"


@pytest.fixture
def drifted(adfs_stamp: RunningStamp, tmp_path: Path) -> Path:
    """The config of a stamp that was recorded with another login endpoint and another root."""
    config = write_config(tmp_path, adfs_stamp.describe())
    record(config, LOGIN)
    return config


def record(config: Path, login: str) -> None:
    environment = load_settings(config).target().environment
    found = StampRecord(
        environment.arm, login, "https://a", datetime.now(UTC), authority().root.der
    )
    assert write_record(config, environment, found) == ""


def recorded(config: Path) -> StampRecord | None:
    return read_record(config, load_settings(config).target().environment)


def test_accept_shows_both_values_and_takes_yes(drifted: Path, adfs_stamp: RunningStamp) -> None:
    code, screen = said_to("accept", "--config", drifted, replies=[("[y/N]", "y")])
    assert code == 0
    for line in (
        f"recorded  {LOGIN}",
        f"now       {adfs_stamp.login_url.rstrip('/')}",
        "recorded  https://a",
        f"now       {adfs_stamp.identity_provider_audience}",
        "recorded  Contoso Root CA",
    ):
        assert line in screen, screen
    found = recorded(drifted)
    assert found is not None
    assert found.login_endpoint == adfs_stamp.login_url.rstrip("/")
    assert found.audience == adfs_stamp.identity_provider_audience
    assert found.path_end not in (b"", authority().root.der)
    assert stacktui("check", "--config", str(drifted)).code == 0
    again = environments("accept", "--config", drifted)
    assert (again.code, again.out) == (0, "")
    assert "nothing has changed" in again.err


@pytest.mark.parametrize("reply", ["n", "", "no"])
def test_accept_takes_no(reply: str, drifted: Path) -> None:
    before = stamps_file().read_bytes()
    code, screen = said_to("accept", "--config", drifted, replies=[("[y/N]", reply)])
    assert code == 2
    assert "nothing was changed" in screen
    assert stamps_file().read_bytes() == before


@pytest.mark.parametrize("command", ["accept", "forget"])
def test_where_nobody_answers_nothing_is_changed(command: str, drifted: Path) -> None:
    before = stamps_file().read_bytes()
    ran = process(command, "--config", drifted, "Test")
    assert (ran.code, ran.out) == (2, "")
    assert "nobody answered; --yes answers yes" in ran.err
    assert stamps_file().read_bytes() == before


def test_accept_with_yes_asks_nothing(drifted: Path) -> None:
    ran = process("accept", "--config", drifted, "--yes", "Test")
    assert (ran.code, ran.out) == (0, "")
    assert "[y/N]" not in ran.err
    found = recorded(drifted)
    assert found is not None
    assert found.login_endpoint != LOGIN


def test_accept_records_a_stamp_that_was_not_known(
    adfs_stamp: RunningStamp, tmp_path: Path
) -> None:
    config = write_config(tmp_path, adfs_stamp.describe())
    assert environments("accept", "--config", config, "--yes").code == 0
    assert recorded(config) is not None


def test_a_stamp_that_is_down_cannot_be_accepted(tmp_path: Path, drifted: Path) -> None:
    with closed_port() as port:
        environments("set", "--config", drifted, "Test", f"arm=https://localhost:{port}")
        before = stamps_file().read_bytes()
        line = refused("accept", "--config", drifted, "--yes", code=1)
    assert line.startswith("nothing to accept: localhost: ")
    assert stamps_file().read_bytes() == before


def test_a_stamp_that_is_not_trusted_cannot_be_accepted(drifted: Path) -> None:
    environments("set", "--config", drifted, "Test", "ca=")
    before = stamps_file().read_bytes()
    assert "certificate" in refused("accept", "--config", drifted, "--yes", code=1)
    assert stamps_file().read_bytes() == before


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_trust_that_cannot_be_loaded_is_reported(
    content: bytes | None, drifted: Path, tmp_path: Path
) -> None:
    path = tmp_path / "other.pem"
    if content is not None:
        path.write_bytes(content)
    environments("set", "--config", drifted, "Test", f"ca={path}")
    assert str(path) in refused("accept", "--config", drifted, "--yes", code=1)


ANSWERS = {
    "html": Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"),
    "incomplete": said({"authentication": {}}),
    "hostile": said({"authentication": {"loginEndpoint": "https://l/", "audiences": [HOSTILE]}}),
    "no http": Raw(b"\x1b[2J\r\n\r\n", "close"),
}


@pytest.mark.parametrize("what", ANSWERS)
async def test_what_cannot_be_accepted_is_reported_harmless(what: str, tmp_path: Path) -> None:
    async with scripted(Script(metadata=ANSWERS[what])) as web:
        config = _config_for(tmp_path, web.url)
        record(config, LOGIN)
        before = stamps_file().read_bytes()
        ran = await asyncio.to_thread(process, "accept", "--config", config, "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("stacktui: nothing to accept: ")
    assert stamps_file().read_bytes() == before


async def test_a_stamp_that_drips_is_not_waited_for(tmp_path: Path) -> None:
    slow = Raw([b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", *[b" "] * 100], pause=0.1)
    async with scripted(Script(metadata=slow)) as web:
        target = load_settings(_config_for(tmp_path, web.url), {"step": 0.5}).target()
        started = time.monotonic()
        with pytest.raises(AcceptError, match=re.escape("did not answer whole in 0.5 s")):
            await ask_stamp(replace(target, identity=None))
        assert time.monotonic() - started < 3


def _config_for(folder: Path, arm: str) -> Path:
    (folder / "ca.pem").write_bytes(authority().root.pem)
    config = folder / "config.toml"
    config.write_text(
        f'[environments.Test]\narm = "{arm}"\nca = "{folder}/ca.pem"\nproxy = "none"\n'
    )
    return config


@pytest.mark.parametrize("command", ["accept", "forget"])
def test_a_home_that_takes_nothing_is_reported(
    command: str, adfs_stamp: RunningStamp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path, adfs_stamp.describe())
    home = tmp_path / "home"
    home.write_text("no folder")
    monkeypatch.setenv("HOME", str(home))
    ran = environments(command, "--config", config, "--yes", "Test")
    assert (ran.code, ran.out) == (2, "")
    assert f"{stamps_file()} cannot be written" in ran.err
    assert "internal error" not in ran.err


def test_forget_asks_and_forgets(drifted: Path) -> None:
    code, screen = said_to("forget", "--config", drifted, "Test", replies=[("[y/N]", "n")])
    assert (code, recorded(drifted) is None) == (2, False)
    code, screen = said_to("forget", "--config", drifted, "Test", replies=[("[y/N]", "y")])
    assert (code, recorded(drifted)) == (0, None)
    assert "Test: forgotten" in screen
    assert environments("forget", "--config", drifted, "Test", "--yes").code == 0  # and again
    assert "Nothing is recorded yet." in environments("show", "--config", drifted).out


def test_forget_leaves_other_environments_alone(drifted: Path) -> None:
    other = replace(load_settings(drifted).target().environment, name="Other")
    found = recorded(drifted)
    write_record(drifted, other, found)
    assert environments("forget", "--config", drifted, "Test", "--yes").code == 0
    assert read_record(drifted, other) == found


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "forget"),
        (["show"], "no secret is sent"),
        (["set"], "KEY is one of arm, profile, identity, subscription, ca, proxy and limits.NAME"),
        (["accept"], "Exits with 1"),
        (["forget"], "records what it finds then"),
    ],
)
def test_help_needs_nothing(arguments: list[str], word: str) -> None:
    ran = environments(*arguments, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert word in " ".join(ran.out.split())


@pytest.mark.parametrize(
    "arguments",
    [["set"], ["set", "West"], ["forget"], ["nonsense"], ["show", "a", "b"], ["accept", "--nope"]],
)
def test_wrong_usage_exits_with_two(arguments: list[str], config: Path) -> None:
    ran = environments(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err


@pytest.mark.parametrize(
    ("broken", "change"),
    [
        ('arm = "http://management.east.example"', "arm=https://management.east.example"),
        ('arm = "https://management.east.example/portal"', "arm=https://management.east.example"),
        ('arm = "https://a.example"\nidentity = "nope"', "identity="),
        ('arm = "https://a.example"\nprofile = "2001"', "profile=2019-03-01-hybrid"),
    ],
)
def test_what_is_wrong_with_the_config_can_be_what_is_changed(
    broken: str, change: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f"[environments.Home]\n{broken}\n")
    assert stacktui("check", "--config", str(config), "Home").code == 2
    done = stacktui("environments", "set", "--config", str(config), "Home", change, "--no-check")
    assert (done.code, done.out) == (0, "")
    assert stacktui("environments", "show", "--config", str(config)).code == 0


def test_what_is_pasted_from_a_demo_stays_in_the_demo(tmp_path: Path) -> None:
    """Its config is beside a mark, by which every process keeps its own files there too."""
    home = Path(os.environ["HOME"])
    with run_in_thread(StampOptions(domain="local.azurestack.external")) as stamp:
        config = write_config(tmp_path, stamp.describe())
        mark_demo(tmp_path)
        assert check_json(config).code == 0
        shown = stacktui("environments", "show", "--config", str(config))
        assert "login.local.azurestack.external" in shown.out
        root = stamp.describe()["ca_file"]
        trust = ["certificates", "trust", "--config", str(config), str(root), "--yes"]
        assert stacktui(*trust).code == 0
    assert {"stamps.json", "ca-bundle.pem"} <= {each.name for each in tmp_path.iterdir()}
    assert list(home.rglob("*.json")) + list(home.rglob("*.pem")) == []
