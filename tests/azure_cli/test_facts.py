"""What is read of `az` on this machine: its version, its files, and the errors that it keeps."""

from __future__ import annotations

import configparser
import os
import pickle
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacktui.azure_cli import ini_files
from stacktui.azure_cli import presence as azure_beside
from stacktui.azure_cli.facts import AzFacts, AzInstallation
from stacktui.azure_cli.http_cache import KeptError, kept_errors
from stacktui.azure_cli.ini_files import AzCloud, BrokenFile, Flaw, clouds, parsed
from stacktui.azure_cli.launchers import launchers
from stacktui.azure_cli.presence import az_facts
from stacktui.config.locations import config_root as kept_in_folder
from stacktui.environments.profiles import PROFILES
from tests.support.azure import installed_az, kept_by_msal, unknown_az
from tests.support.draws import draws

URL = "https://login.test/tenant/oauth2/v2.0/token"
CLOUD = """[Mine]
endpoint_active_directory = https://adfs.test/adfs
endpoint_active_directory_resource_id = https://management.test/aud/
endpoint_resource_manager = https://management.test
profile = 2020-09-01-hybrid
"""
MINE = AzCloud(
    "Mine", "https://management.test", "https://adfs.test/adfs", "https://management.test/aud/",
    "2020-09-01-hybrid",
)  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an `az` that is installed, the only one on PATH and on this machine."""
    monkeypatch.setattr(azure_beside, "launchers", partial(launchers, ()))
    put_on_path(monkeypatch, installed_az(tmp_path / "az", "2.66.2"))
    found = tmp_path / "azure"
    found.mkdir()
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(found))
    return found


def put_on_path(monkeypatch: pytest.MonkeyPatch, *launchers: Path) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(str(each.parent) for each in launchers))


def facts() -> AzFacts:
    found = az_facts(PROFILES)
    assert found is not None
    return found


def test_nothing_is_reported_where_there_is_no_az(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert az_facts(PROFILES) is None


def test_a_demo_does_not_look(tmp_path: Path) -> None:
    assert az_facts(PROFILES) is not None
    with kept_in_folder(tmp_path):
        assert az_facts(PROFILES) is None


def test_the_one_that_a_shell_runs_is_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, older = (
        installed_az(tmp_path / "1", "2.80.0"), installed_az(tmp_path / "2", "2.66.1"),
    )  # fmt: skip
    put_on_path(monkeypatch, newer, older)
    expected = (AzInstallation(newer, "2.80.0"), AzInstallation(older, "2.66.1"))
    assert (facts().installations, facts().runs) == (expected, expected[0])
    put_on_path(monkeypatch, older, newer)
    assert facts().runs == expected[1]


def test_one_of_no_known_form_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be asked over the network; and what a shell would run stays unknown."""
    unknown = unknown_az(tmp_path / "shims")
    known = installed_az(tmp_path / "1", "2.80.0")
    put_on_path(monkeypatch, unknown, known)
    assert facts().runs is None
    assert facts().installations == (AzInstallation(known, "2.80.0"),)
    assert not (unknown.parent / "ran").exists()


def test_an_upgrade_is_seen_and_else_nothing_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = installed_az(tmp_path / "venv", "2.66.2")
    put_on_path(monkeypatch, launcher)
    assert [each.version for each in facts().installations] == ["2.66.2"]
    (core,) = tmp_path.glob("venv/lib/*/site-packages/azure/cli/core/__init__.py")
    core.write_text('__version__ = "2.80.0"\n')
    assert [each.version for each in facts().installations] == ["2.66.2"]
    os.utime(launcher, (1, 1))  # pip writes it anew
    assert [each.version for each in facts().installations] == ["2.80.0"]


def test_the_folder_is_az_s_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert facts().folder == folder
    monkeypatch.setenv("AZURE_CONFIG_DIR", "")
    assert facts().folder == Path(os.environ["HOME"]) / ".azure"


@pytest.mark.parametrize("name", ["AZURE_CLI_DISABLE_CONNECTION_VERIFICATION",
                                  "ADAL_PYTHON_SSL_NO_VERIFY"])  # fmt: skip
def test_variables_are_reported_without_any_az(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(name, "")
    assert az_facts(PROFILES) is None
    monkeypatch.setenv(name, "0\x1b" + "x" * 100)
    assert facts().unverified == ((name, r"0\x1b" + "x" * 38),)
    assert facts().broken == ()


def test_clouds_and_the_one_in_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "clouds.config").write_text(f"; a comment\n\n{CLOUD}\n[Half]\nsubscription = s%20\n")
    (folder / "config").write_text("[cloud]\nname = Mine\n")
    assert facts().clouds == (MINE, AzCloud("Half", "", "", "", ""))
    assert (facts().active, facts().broken) == ("Mine", ())
    monkeypatch.setenv("AZURE_CLOUD_NAME", "Half")
    assert facts().active == "Half"


BROKEN = [
    ("endpoint_x = y\n" + CLOUD, Flaw.NO_SECTION, "line 1", True),
    ("<html></html>", Flaw.NO_SECTION, "line 1", True),
    ("# note\n<<<<<<< HEAD\n" + CLOUD, Flaw.NO_SECTION, "line 2", True),
    ("\ufeff" + CLOUD, Flaw.BYTE_ORDER_MARK, "byte-order mark", True),
    (CLOUD.encode("utf-16"), Flaw.UTF_16, "UTF-16", False),
    (CLOUD.encode() + b"suffix_x = \xe9\n", Flaw.ENCODING, f"byte {len(CLOUD) + 12} ", False),
    (CLOUD + CLOUD, Flaw.SYNTAX, "line 6: the section Mine", False),
    (CLOUD + "profile = latest\n", Flaw.SYNTAX, "line 6: profile is there already", False),
    (CLOUD + "what is this\n", Flaw.SYNTAX, "line 6 is no", False),
    (CLOUD.replace("2020", "2021"), Flaw.PROFILE, "2021-09-01-hybrid", False),
    (CLOUD + "suffix_storage_endpoint = a%20b\n", Flaw.PERCENT, "a%20b", False),
    (CLOUD + "suffix_storage_endpoint = %(none)s\n", Flaw.PERCENT, "%(none)s", False),
]


@pytest.mark.parametrize(("content", "flaw", "detail", "removed"), BROKEN)
def test_what_az_cannot_use(
    folder: Path, content: str | bytes, flaw: Flaw, detail: str, removed: bool
) -> None:
    path = folder / "clouds.config"
    raw = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(raw)
    (found,) = facts().broken
    assert (found.path, found.flaw, found.removed) == (path, flaw, removed)
    assert detail in found.detail
    assert path.read_bytes() == raw


@pytest.mark.parametrize(
    "content",
    [
        "", "\n\n", "# only a comment\n", CLOUD, CLOUD.replace("\n", "\r\n"),
        CLOUD.replace("\n", "\r"), CLOUD + "subscription = a%20b\n", CLOUD + "suffix_x = 100%%\n",
        CLOUD + "suffix_x = %(profile)s\n", CLOUD + "profile2 = no-such\n", "[Ä]\nprofile=latest\n",
        "[DEFAULT]\nprofile = latest\n" + CLOUD,
    ],
)  # fmt: skip
def test_what_az_can_use(folder: Path, content: str) -> None:
    (folder / "clouds.config").write_bytes(content.encode())
    assert facts().broken == ()


def test_values_by_reference_are_not_judged(folder: Path) -> None:
    """What they are made of may be of any size."""
    laughs = "".join(f"a{n} = {'%(a' + str(n - 1) + ')s' * 10}\n" for n in range(1, 10))
    section = f"[Mine]\na0 = ha\n{laughs}endpoint_x = %(a9)s\n"
    (folder / "clouds.config").write_text(section + CLOUD.partition("\n")[2])
    assert (facts().clouds, facts().broken) == ((), ())


def test_a_broken_config_is_none_that_az_removes(folder: Path) -> None:
    (folder / "config").write_text("name = Mine\n")
    assert facts().broken == (
        BrokenFile(folder / "config", Flaw.NO_SECTION, "line 1 is before any [section]"),
    )


JSON, UNWRITABLE = Flaw.JSON, Flaw.UNWRITABLE
TOKENS, PRINCIPALS = "msal_token_cache.json", "service_principal_entries.json"


@pytest.mark.parametrize(
    ("name", "content", "flaw"),
    [
        (TOKENS, b"", None),
        (TOKENS, b'{"AccessToken": {}}', None),
        (TOKENS, b'{"AccessToken": {"a": "s3cret', JSON),
        (TOKENS, b'{"AccessToken": []}', JSON),
        (TOKENS, b'{"AccessToken": {"a": null}}', JSON),
        (PRINCIPALS, b'[{"client_id": "a"}]', None),
        (PRINCIPALS, b"", JSON),
        (PRINCIPALS, b"[1]", JSON),
        (PRINCIPALS, b"[{}]", JSON),
        ("azureProfile.json", b'\xef\xbb\xbf{"subscriptions": null}', None),
        ("azureProfile.json", b'{"subs', None),  # az begins it anew
        ("azureProfile.json", b'{"subscriptions": [{"id": "a", "environmentName": "b"}]}', None),
        ("azureProfile.json", b"[]", JSON),
        ("azureProfile.json", b'{"subscriptions": {"a": 1}}', JSON),
        ("azureProfile.json", b'{"subscriptions": [{"id": "a"}]}', JSON),
        ("azureProfile.json", b'{"\xff": 1}', JSON),
    ],
)
def test_json_that_az_cannot_use(folder: Path, name: str, content: bytes, flaw: Flaw) -> None:
    """Each was given to az 2.66, which ends with a traceback or does not mind."""
    (folder / name).write_bytes(content)
    found = facts().broken
    assert [each.flaw for each in found] == ([flaw] if flaw else [])
    assert "s3cret" not in str(found)


@pytest.mark.parametrize("name", ["commands", "clouds.config", "azureProfile.json", PRINCIPALS])
def test_what_az_cannot_write(folder: Path, name: str) -> None:
    (folder / name).symlink_to(folder / "none" / "file")
    assert [(each.path.name, each.flaw) for each in facts().broken] == [(name, UNWRITABLE)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
@pytest.mark.parametrize("name", ["", "commands", "clouds.config", "azureProfile.json", PRINCIPALS])
def test_what_belongs_to_somebody_else(folder: Path, name: str) -> None:
    path = folder / name
    if name == "commands":
        path.mkdir()
    elif name:
        path.write_text("[]" if name == PRINCIPALS else "")
    path.chmod(0o500)
    try:
        assert [(each.path, each.flaw) for each in facts().broken] == [(path, UNWRITABLE)]
    finally:
        path.chmod(0o700)


def test_a_folder_that_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("")
    for name in ("file", "file/below"):
        monkeypatch.setenv("AZURE_CONFIG_DIR", str(folder / name))
        assert {each.flaw for each in facts().broken} >= {UNWRITABLE}
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(folder / "to" / "be" / "made"))
    assert facts().broken == ()


@pytest.mark.parametrize(
    ("variable", "value", "flaw"),
    [
        ("AZURE_CORE_OUTPUT", "TABLE", None),
        ("AZURE_CORE_OUTPUT", "tabel", Flaw.OUTPUT),
        ("AZURE_CORE_DISABLE_PROGRESS_BAR", "maybe", Flaw.BOOLEAN),
        ("AZURE_CLIENTS_SHOW_SECRETS_WARNING", "maybe", Flaw.BOOLEAN),
        ("AZURE_CORE_COLLECT_TELEMETRY", "maybe", None),
    ],
)
@pytest.mark.usefixtures("folder")
def test_options_that_az_cannot_use(
    variable: str, value: str, flaw: Flaw | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    expected = [(variable, flaw)] if flaw else []
    assert [(str(each.path), each.flaw) for each in facts().broken] == expected


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["clouds.config", "config", "msal_http_cache.bin"])
@pytest.mark.parametrize("kind", ["fifo", "folder", "loop", "huge", "closed", "device"])
def test_what_is_no_file_to_read(folder: Path, name: str, kind: str) -> None:
    path = folder / name
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "huge":
            with path.open("wb") as file:
                file.truncate(2**34)
        case "closed":
            path.write_text("x")
            path.chmod(0)
    found = facts()
    readable = kind in ("loop", "huge") or name == "msal_http_cache.bin"
    if kind == "closed" and os.geteuid() == 0:  # root reads it all the same
        return
    flaws = [each.flaw for each in found.broken]
    if name == "config":
        assert flaws == ([] if readable else [Flaw.UNREADABLE])
    else:  # az writes these
        assert set(flaws) <= {Flaw.UNWRITABLE}
        assert flaws or readable
    assert (found.clouds, found.kept) == ((), ())


def kept_in(folder: Path, content: bytes) -> tuple[KeptError, ...]:
    (folder / "msal_http_cache.bin").write_bytes(content)
    return facts().kept


@pytest.mark.parametrize(
    ("status", "text", "headers", "said", "seconds"),
    [
        (400, '{"error":"x","error_description":"AADSTS700016: no app"}', {}, "AADSTS700016", 60),
        (400, '{"error": "invalid_grant"}', {}, "invalid_grant", 60),
        (400, "<html>\x1b[2J" * 9999, {}, "HTTP 400", 60),
        (503, "<html>", {"Retry-After": "30"}, "HTTP 503", 30),
        (429, "MSIS9699", {}, "MSIS9699", 5),
    ],
)
def test_errors_as_msal_keeps_them(
    folder: Path, status: int, text: str, headers: dict[str, str], said: str, seconds: int
) -> None:
    before = int(time.time())
    (kept,) = kept_in(folder, kept_by_msal(URL, status, text, headers))
    assert (kept.url, kept.said) == (URL, said)
    assert kept.ends - kept.made == timedelta(seconds=seconds)
    assert before <= kept.made.timestamp() <= time.time()


@pytest.mark.parametrize(("status", "text"), [(200, "{}"), (401, "AADSTS7000215")])
def test_what_msal_does_not_keep(folder: Path, status: int, text: str) -> None:
    assert kept_in(folder, kept_by_msal(URL, status, text)) == ()


class Trap:
    """What a pickle can do to whoever loads it."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.trace),)


def test_nothing_in_the_cache_is_run(folder: Path, tmp_path: Path) -> None:
    cache = pickle.loads(kept_by_msal(URL, 400, "x"))
    trace = tmp_path / "trace"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        trap = {"POST ": Trap(trace), **cache}
        assert kept_in(folder, pickle.dumps(trap, protocol)) == ()
    assert not trace.exists()
    pickle.loads(pickle.dumps(trap))
    assert trace.exists()  # the trap does work


def test_a_full_cache_is_read_in_no_time(folder: Path) -> None:
    whole = pickle.loads(kept_by_msal(URL, 400, "AADSTS1"))
    (key,) = (each for each in whole if each.startswith("POST"))
    _, times = whole["_index_"]
    for number in range(1024):
        other = key.replace("tenant", f"tenant{number}")
        whole[other] = pickle.loads(pickle.dumps(whole[key]))
        times[other] = list(times[key])
    content = pickle.dumps(whole)
    started = time.process_time()
    assert len(kept_in(folder, content)) == 16
    assert time.process_time() - started < 10


BOMBS = {
    "nested": b"\x80\x04POST ]" + b"\x85" * 10**6 + b".",
    "memo": b"\x80\x04X\x05\x00\x00\x00POST " + b"\x94h\x00" * 10**6 + b".",
    "tuple keys": b"\x80\x04X\x05\x00\x00\x00POST }" + b")" + b"\x85" * 10**5 + b"Ns.",
    "promise": b"\x80\x04POST \x8d" + b"\xff" * 8,
    "number": b"POST I" + b"9" * 10**6 + b"\n.",
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_no_cache(folder: Path, bomb: bytes) -> None:
    assert kept_in(folder, bomb) == ()


PIECES = st.sampled_from(
    [b"POST ", *CLOUD.encode().splitlines(keepends=True), b"[", b"]", b"%", b"%(a)s", b"\xff\xfe",
     b"\xef\xbb\xbf", b"\r", b"[DEFAULT]\n", b" " * 500, b"=", b"a\n", b"\0"]
)  # fmt: skip
CACHE = kept_by_msal(URL, 400, "AADSTS700016")
CUT = st.tuples(st.integers(0, len(CACHE)), st.integers(0, len(CACHE)), st.binary(max_size=9)).map(
    lambda cut: CACHE[: cut[0]] + cut[2] + CACHE[cut[1] :]
)
CONTENTS = (
    st.binary(max_size=400)
    | st.lists(PIECES | st.binary(max_size=6), max_size=60).map(b"".join)
    | CUT
    | st.binary(max_size=60).map(lambda more: b"\x80\x04POST " + more)
)


# Of pickletools, at what an older protocol escapes.
@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
@settings(max_examples=draws(400), deadline=2000)
@given(CONTENTS)
def test_any_bytes_are_read(content: bytes) -> None:
    found = parsed(content)
    assert (found.flaw is None) == (not found.detail)
    assert len(clouds(found)) <= 100
    ini_files.flaw_of_values(found, PROFILES)
    ini_files.value(found, "cloud", "name")
    assert len(kept_errors(content)) <= 16


LINES = st.lists(
    st.sampled_from(
        ["[a]", "[b]", "[a]]", "[]", " [c] x", "[DEFAULT]", "k = v", "K: w", "k", "= v", "l=%(k)s",
         "  more", "\tmore = 1", " l = 2", "   ; c", "# c", "", "   ", "m\x0c= \x1f", "\x85k=1"]
    ) | st.text("[]=: ab#;\t", max_size=6),
    max_size=14,
)  # fmt: skip


@settings(max_examples=draws(600), deadline=2000)
@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_file_is_parsed_as_configparser_does(lines: list[str], end: str) -> None:
    found, parser = parsed(end.join(lines).encode()), configparser.ConfigParser()
    try:
        parser.read_string("\n".join(lines))
    except configparser.MissingSectionHeaderError:
        assert found.flaw is Flaw.NO_SECTION
    except configparser.Error:
        assert found.flaw is Flaw.SYNTAX
    else:
        assert found.flaw is None
        read = {name: dict(parser.items(name, raw=True)) for name in parser.sections()}
        assert {each.name: found.defaults | each.values for each in found.sections} == read


@settings(max_examples=draws(150), deadline=2000)
@given(st.binary(max_size=200), st.integers(0, 2000))
def test_any_cut_or_change_of_a_real_cache_is_read(more: bytes, at: int) -> None:
    for content in (CACHE[:at] + more, CACHE[:at] + more + CACHE[at + len(more) :]):
        for kept in kept_errors(content):
            assert kept.said.isprintable()
            assert kept.url.isprintable()


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "content",
    [
        b"a" + b" " * 60_000 + b"b",
        b"[a]\n" + (b" " * 990 + b"\n") * 65,
        b"[DEFAULT]\n" + b"".join(b"%x=\n" % n for n in range(9000)) + b"[a]\n[b]\n",
        b"".join(b"[%x]\n" % n for n in range(9000)),
        b"junk\n" * 10_000,
        b"[a]\n" + b"junk\n" * 1900,
        b"x" * ini_files.MAX_SIZE * 2,
        b"[a]\n" + b"a" + b" " * 2_000_000 + b"b",
        b"[a]\na=" + b"\n b" * 600_000,
        b"[DEFAULT]\n"
        + b"".join(b"%x=%%(\n" % n for n in range(90_000))
        + b"".join(b"[%x]\n" % n for n in range(90_000)),
    ],
)
def test_a_content_that_would_take_long_is_not_judged_or_soon(content: bytes) -> None:
    started = time.process_time()
    found = parsed(content)
    ini_files.flaw_of_values(found, PROFILES)
    clouds(found)
    assert time.process_time() - started < 5
