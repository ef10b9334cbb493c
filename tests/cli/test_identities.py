"""`stacktui identities list`, `show`, `add`, `set` and `remove` from outside."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from stacktui.check.settings import load_settings
from stacktui.identities.model import EnvSecret, FileSecret, IdentityKind
from stacktui.stamp.running import RunningStamp
from tests.product import Ran, stacktui
from tests.support.pasted import on_terminal

SECRET = "s3cret~of.ours-123"
CONFIG = """# The stamps of the west.
active = "West"

[environments.East]
arm = "https://management.east.example"
identity = "ops"
[environments.West]
arm = "https://management.west.example"
identity = "ops"   # until the audit
[environments.Broken]
arm = "no URL"
identity = "me"

# Asks.
[identities.me]
kind = "device-code"

# Of the team.
[identities.ops]
kind = "service-principal"   # no person
tenant = "contoso.example"
client_id = "c0ffee"
secret = { env = "OPS_SECRET" }

[identities."odd\\u001b[31m"]
kind = "nonsense"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPS_SECRET", SECRET)
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def sp_pem(entra_stamp: RunningStamp, tmp_path: Path) -> Path:
    """The certificate and key of a service principal."""
    return Path(shutil.copy(entra_stamp.certificate_file, tmp_path / "sp.pem"))


def on(config: Path, *words: str) -> Ran:
    ran = stacktui("identities", *words, "--config", config)
    assert SECRET not in ran.out + ran.err
    return ran


def test_the_document_has_every_identity(config: Path) -> None:
    ran = on(config, "list", "--format", "json")
    assert (ran.code, ran.err, ran.document["schema"]) == (0, "", 1)
    ops, me, odd = ran.document["identities"]
    assert ops == {
        "name": "ops",
        "kind": "service-principal",
        "tenant": "contoso.example",
        "principal": "c0ffee",
        "environments": ["West", "East"],  # the active one first
        "in_use": True,
        "credential": "environment variable OPS_SECRET",
        "certificate": None,
        "origin": {"config": str(config), "line": 19, "imported_from": None},
        "error": None,
    }
    assert (me["name"], me["environments"], me["in_use"]) == ("me", ["Broken"], False)
    assert (odd["name"], odd["kind"]) == ("odd\x1b[31m", None)
    assert "'nonsense' is not a known kind" in odd["error"]
    assert ops.keys() == me.keys() == odd.keys()


def test_the_table_says_it_in_words(config: Path) -> None:
    ran = on(config, "list")
    assert (ran.code, ran.err) == (0, "")
    head, ops, me, odd = ran.out.splitlines()
    assert head.split() == ["name", "kind", "used", "by", "credential", "certificate", "tenant"]
    assert ops.startswith("* ops ")
    for text in ("service principal", "West, East", "environment variable OPS_SECRET"):
        assert text in ops
    assert me.startswith("  me ")
    assert r"odd\x1b[31m" in odd
    assert "✗ unusable  " in odd


def test_a_small_terminal_gets_two_lines_each(config: Path) -> None:
    command = [sys.executable, "-m", "stacktui", "identities", "list", "--config", str(config)]
    code, screen = on_terminal(command, [], os.environ | {"COLUMNS": "80", "NO_COLOR": "1"})
    lines = screen.splitlines()
    assert code == 0
    assert lines[0].split() == ["*", "ops", "service", "principal"]
    assert lines[1].strip() == ("West, East · environment variable OPS_SECRET · contoso.example")
    assert max(map(len, lines)) <= 80


def test_without_any_it_says_how_to_add_one(tmp_path: Path) -> None:
    ran = on(tmp_path / "none.toml", "list")
    assert (ran.code, ran.out) == (0, "")
    assert "stacktui identities add" in ran.err


def test_the_certificate_of_an_identity(config: Path, sp_pem: Path) -> None:
    assert on(config, "set", "ops", f"certificate={sp_pem}", "secret=").code == 0
    (ops, *_) = on(config, "list", "--format", "json").document["identities"]
    certificate = ops["certificate"]
    assert ops["credential"] == f"certificate {sp_pem}"
    assert (certificate["path"], certificate["problem"]) == (str(sp_pem), None)
    assert 0 < certificate["days_left"] < 400
    assert f"✓ {certificate['days_left']} days left" in on(config, "list").out
    shown = on(config, "show", "ops").out
    assert certificate["sha1"].replace(":", "") in shown
    assert "PRIVATE KEY" not in shown
    sp_pem.write_text("nothing")
    broken = on(config, "show", "ops", "--format", "json")
    assert (broken.code, broken.document["certificate"]["days_left"]) == (0, None)
    assert broken.document["certificate"]["problem"] == "no PEM certificate"
    assert "✗ no certificate" in on(config, "list").out


def test_the_password_of_a_certificate_is_no_secret(config: Path, sp_pem: Path) -> None:
    given = (f"certificate={sp_pem}", "certificate_password=env PFX_PASSWORD", "secret=")
    assert on(config, "set", "ops", *given).code == 0
    lines = [line.split(maxsplit=1) for line in on(config, "show", "ops").out.splitlines()]
    labels = [label for label, *value in lines if value == ["environment variable PFX_PASSWORD"]]
    assert labels == ["password"]


def test_where_it_came_from(config: Path) -> None:
    """What an import wrote is shown, can be taken out, and makes it no other identity."""
    assert f"came from    {config}, line 19\n" in on(config, "show", "ops").out
    text = config.read_text()
    config.write_text(
        text.replace('client_id = "c0ffee"', 'client_id = "c0ffee"\nimported_from = "a\u009bb"')
    )
    shown = on(config, "show", "ops")
    assert rf"{config}, line 19; imported from a\x9bb" in shown.out
    document = on(config, "show", "ops", "--format", "json").document
    assert document["origin"]["imported_from"] == "a\x9bb"
    assert on(config, "set", "ops", "imported_from=").code == 0
    assert config.read_text() == text


def test_one_is_shown_with_its_account(config: Path) -> None:
    ran = on(config, "show", "ops")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "ops")
    pairs = {tuple(line.split(maxsplit=1)) for line in ran.out.splitlines()[1:]}
    assert {("kind", "service principal"), ("account", "c0ffee")} <= pairs
    assert {("used", "by      West, East"), ("tenant", "contoso.example")} <= pairs
    document = on(config, "show", "ops", "--format", "json").document
    listed = on(config, "list", "--format", "json").document["identities"][0]
    assert document == {"schema": 1, **listed}
    assert on(config, "show", "odd\x1b[31m").code == 2
    assert "did you mean ops?" in on(config, "show", "opss").err


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("service-principal", ("client_id=c0ffee", "secret=env:OPS_SECRET")),
        ("service-principal", ("client_id=c0ffee", "certificate=sp.pem", "tenant=t")),
        ("user", ("username=me@contoso.example", "password=file:secret")),
        ("device-code", ()),
        ("managed-identity", ("object_id=c0ffee",)),
    ],
)
def test_each_kind_is_added_and_removed_again(
    kind: str, keys: tuple[str, ...], config: Path
) -> None:
    before = config.read_text()
    ran = on(config, "add", "new", "--kind", kind, *keys)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("new: added\n")
    assert config.read_text().startswith(before)
    added = load_settings(config).identities["new"]
    assert added.kind is IdentityKind(kind)
    if "password=file:secret" in keys:
        assert added.credential == FileSecret(config.parent / "secret")
    assert on(config, "add", "new", "--kind", kind, *keys).code == 2
    assert on(config, "remove", "new", "--yes").code == 0
    assert config.read_text().rstrip() == before.rstrip()


def test_the_first_one_makes_the_config(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    assert on(path, "add", "me", "--kind", "device-code").code == 0
    assert [*load_settings(path).identities] == ["me"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("set", "ops", f"secret={SECRET}"), "as in secret=env:NAME"),
        (("add", "a", "--kind", "user", "username=u", f"password={SECRET}"), "password=env:NAME"),
        (("add", "a", "--kind", "user", f"pasword={SECRET}"), "did you mean password?"),
        (("add", "a", "--kind", "user", SECRET), "write KEY=VALUE"),
        (("add", "a", "--kind", "service-principal", "client_id=c"), "needs either secret"),
        (("add", "a", "--kind", "device-code", "secret=env:A"), 'is no key of kind "device-code"'),
        (("add", "a", "--kind", "device-code", "kind=user"), "kind cannot be set"),
        (("add", "ops", "--kind", "device-code"), "already there"),
        (("add", "a\x1bb", "--kind", "device-code"), "control characters"),
        (("add", "", "--kind", "device-code"), "empty"),
        (("set", "ops", "certificate=sp.pem"), "not both"),
        (("set", "opps", "tenant=t"), "did you mean ops?"),
        (("set", "ops", "kind=person"), "not a known kind"),
        (("remove", "ops", "--yes"), "stacktui environments set"),
        (("remove", "opps", "--yes"), "is not there"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else None,
)
def test_what_is_wrong_is_refused_and_nothing_is_changed(
    words: tuple[str, ...], why: str, config: Path
) -> None:
    ran = on(config, *words)
    assert (ran.code, ran.out, config.read_text()) == (2, "", CONFIG)
    assert why in ran.err
    assert "\x1b" not in ran.err


def test_a_change_keeps_comments_and_order(config: Path) -> None:
    ran = on(config, "set", "ops", "secret=file:~/ops", "tenant=", "client_id=beef")
    assert (ran.code, ran.out) == (0, "")
    file = Path("~/ops").expanduser()
    assert ran.err.splitlines() == [
        f"ops: secret = file {file} (was: env OPS_SECRET)",
        "ops: tenant taken out (was: contoso.example)",
        "ops: client_id = beef (was: c0ffee)",
    ]
    lines = config.read_text().splitlines()
    assert [line for line in lines if "#" in line] == [
        line for line in CONFIG.splitlines() if "#" in line
    ]
    assert list(load_settings(config).identities) == ["me", "ops"]
    changed = load_settings(config).identities["ops"]
    assert (changed.client_id, changed.tenant, changed.credential) == (
        "beef", None, FileSecret(file),
    )  # fmt: skip


def test_what_makes_it_unusable_can_be_changed(config: Path) -> None:
    literal = CONFIG.replace('{ env = "OPS_SECRET" }', f'"{SECRET}"')
    config.write_text(literal)
    ran = on(config, "set", "ops", "secret=$OPS_SECRET")
    assert (ran.code, ran.err) == (0, "ops: secret = env OPS_SECRET\n")
    assert load_settings(config).identities["ops"].credential == EnvSecret("OPS_SECRET")
    assert on(config, "set", "odd\x1b[31m", "kind=managed-identity").code == 0
    assert not load_settings(config).identity_errors


def test_it_is_removed_once_its_name_is_typed(config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.replace('identity = "me"', ""))
    typed = tmp_path / "typed"
    for answer, code in (("ops", 2), ("me", 0)):
        typed.write_text(f"{answer}\n")
        ran = stacktui("identities", "remove", "me", "--config", config, stdin=str(typed))
        assert ran.code == code, ran
        assert ("me" in load_settings(config).identities) is bool(code)
    assert "# Of the team." in config.read_text()
    assert on(config, "remove", "odd\x1b[31m").code == 2
    assert on(config, "remove", "odd\x1b[31m", "--yes").code == 0
