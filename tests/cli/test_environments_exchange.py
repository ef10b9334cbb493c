"""`environments export` and `import`: as processes of a user's shell see them."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

from stacktui.stamp.running import RunningStamp
from tests.product import PATIENCE, Ran, stacktui, write_config

SECRET = "s3cret it's $X"
TEXT = f"""# by hand
export ARM_ENDPOINT=https://management.west.example/
export AZURE_TENANT_ID=contoso.onmicrosoft.com AZURE_CLIENT_ID=app
export AZURE_CLIENT_SECRET="{SECRET.replace("$", chr(92) + "$")}"
"""
CONFIG = """# mine
active = "West"

[environments.West]  # the old one
arm = "https://management.west.example"
profile = "2019-03-01-hybrid"
"""


def import_(folder: Path, *arguments: str | Path) -> Ran:
    return stacktui("environments", "import", *arguments, "--config", folder / "config.toml")


def config_of(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "config.toml").read_text())


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "west.sh"
    path.write_text(TEXT)
    return path


def test_an_environment_is_imported_with_a_reference_to_its_secret(script: Path) -> None:
    ran = import_(script.parent, script, "--yes")
    assert ran.code == 0, ran.err
    written = config_of(script.parent)
    assert written == {
        "active": "west",
        "environments": {
            "west": {"arm": "https://management.west.example", "identity": "west"},
        },
        "identities": {
            "west": {
                "kind": "service-principal",
                "tenant": "contoso.onmicrosoft.com",
                "client_id": "app",
                "secret": {"env": "AZURE_CLIENT_SECRET"},
                "imported_from": str(script),
            }
        },
    }
    assert script.read_text() == TEXT
    assert "s3cret" not in ran.err + ran.out + (script.parent / "config.toml").read_text()
    assert "(ARM_ENDPOINT)" in ran.err
    assert "the secret itself is in there" in ran.err


def test_a_secret_is_kept_in_a_file_only_when_asked_to(script: Path) -> None:
    ran = import_(script.parent, script, "--yes", "--keep-secret", "--name", "a/b")
    assert ran.code == 0, ran.err
    (secret,) = (script.parent / "secrets").iterdir()
    assert secret.read_text() == SECRET
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert config_of(script.parent)["identities"]["a/b"]["secret"] == {"file": str(secret)}
    assert f"the file {secret}\n" in ran.err
    assert "the variable" not in ran.err
    assert "s3cret" not in ran.err + (script.parent / "config.toml").read_text()


def test_the_file_may_be_named_by_from(script: Path) -> None:
    assert import_(script.parent, "--from", script, "--yes").code == 0
    assert (
        config_of(script.parent)["environments"]["west"]["arm"] == "https://management.west.example"
    )
    ran = import_(script.parent, "--from", script.with_name("absent.sh"), "--yes")
    assert (ran.code, "absent.sh" in ran.err) == (2, True)


def test_nothing_is_written_without_an_answer(script: Path) -> None:
    ran = import_(script.parent, script)
    assert ran.code == 2
    assert "--yes" in ran.err
    assert [each.name for each in script.parent.iterdir()] == ["west.sh"]


def answered(answer: str, *command: str | Path) -> Ran:
    """Run the import with an answer on its standard input."""
    with tempfile.NamedTemporaryFile("w") as typed:
        typed.write(answer)
        typed.flush()
        return stacktui("environments", "import", *command, stdin=typed.name)


def test_an_environment_that_is_there_is_changed_only_on_an_answer(script: Path) -> None:
    config = script.parent / "config.toml"
    config.write_text(CONFIG)
    plain = script.parent / "plain.sh"
    plain.write_text("ARM_ENDPOINT=https://management.west.example")
    same = import_(script.parent, plain, "--name", "West")
    assert (same.code, "nothing to do" in same.err) == (0, True)
    left = import_(script.parent, script, "--name", "West", "--yes")
    assert (left.code, "left as it is" in left.err) == (0, True)
    assert "identity: none -> West" in left.err
    assert config.read_text() == CONFIG
    command = (script, "--name", "West", "--config", config)
    assert "left as it is" in answered("n\n", *command).err
    assert config.read_text() == CONFIG
    changed = answered("y\n", *command)
    assert changed.code == 0, changed.err
    assert "# mine" in config.read_text()
    assert "# the old one" in config.read_text()
    assert config_of(script.parent)["environments"]["West"] == {
        "arm": "https://management.west.example",
        "profile": "2019-03-01-hybrid",
        "identity": "West",
    }
    again = import_(script.parent, script, "--name", "West")
    assert (again.code, "nothing to do" in again.err) == (0, True)


def test_an_identity_that_is_there_is_used_and_a_taken_name_is_not(script: Path) -> None:
    assert import_(script.parent, script, "--yes").code == 0
    assert import_(script.parent, script, "--yes", "--name", "second").code == 0
    other = script.parent / "other.toml"
    other.write_text(
        '[environments.third]\narm = "https://a.b.c"\nidentity = "west"\n'
        '[identities.west]\nkind = "device-code"\n'
    )
    third = import_(script.parent, other, "--yes")
    assert third.code == 0, third.err
    written = config_of(script.parent)
    assert written["environments"]["second"]["identity"] == "west"
    assert written["environments"]["third"]["identity"] == "west-2"
    assert set(written["identities"]) == {"west", "west-2"}


def test_a_file_or_a_client_is_named_and_not_both(script: Path) -> None:
    for arguments in ((), (script, "--from", "az"), ("--from", "az", "--keep-secret")):
        ran = import_(script.parent, *arguments)
        assert (ran.code, "Usage:" in ran.err) == (2, True), arguments


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "no environment in it"),
        ("ARM_ENDPOINT=http://a.b.c", "must be https"),
        ("x" * 70_000, "over 65,536 bytes"),
        ('[environments.W]\narm = "https://a.b.c"\nprofile = "newest"', "not a known profile"),
    ],
)
def test_what_cannot_be_imported_says_why(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "it").write_text(text)
    ran = import_(tmp_path, tmp_path / "it", "--yes")
    assert (ran.code, said in ran.err) == (2, True), ran.err
    assert not (tmp_path / "config.toml").exists()
    assert import_(tmp_path, tmp_path / "missing", "--yes").code == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_standard_input_is_read_in_the_encodings_of_shells(encoding: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    command = ("environments", "import", "-", "--yes", "--config", str(config))
    done = subprocess.run(
        [sys.executable, "-m", "stacktui", *command],
        input=TEXT.encode(encoding),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "west" in config_of(tmp_path)["environments"]


def test_a_read_only_config_is_not_changed(script: Path) -> None:
    (script.parent / "config.toml").write_text("read_only = true\n")
    ran = import_(script.parent, script, "--yes", "--keep-secret")
    assert ran.code == 2
    assert (script.parent / "config.toml").read_text() == "read_only = true\n"
    assert not (script.parent / "secrets").exists()


def test_several_environments_of_a_config_come_together(tmp_path: Path) -> None:
    other = tmp_path / "other" / "theirs.toml"
    other.parent.mkdir()
    other.write_text(
        '[environments.A]\narm = "https://a.b.c"\nidentity = "i"\nca = "root.pem"\n'
        '[environments.B]\narm = "https://b.b.c"\nidentity = "i"\n'
        '[identities.i]\nkind = "service-principal"\nclient_id = "c"\ncertificate = "c.pem"\n'
    )
    assert import_(tmp_path, other, "--name", "X", "--yes").code == 2
    ran = import_(tmp_path, other, "--yes")
    assert ran.code == 0, ran.err
    written = config_of(tmp_path)
    assert written["environments"]["A"]["ca"] == str(other.parent / "root.pem")
    assert [each["identity"] for each in written["environments"].values()] == ["i", "i"]
    assert written["identities"]["i"]["certificate"] == str(other.parent / "c.pem")


def test_several_environments_are_all_added_or_none(tmp_path: Path) -> None:
    other, config = tmp_path / "theirs.toml", tmp_path / "config.toml"
    tables = [f'[environments.{name}]\narm = "https://{name}.b.c"\n' for name in "abd"]
    other.write_text("".join(tables) + 'profile = "newest"\n')
    ran = import_(tmp_path, other, "--yes")
    assert (ran.code, config.exists()) == (2, False), ran.err
    other.write_text("".join(tables))
    config.write_text('[environments.b]\narm = "https://old.b.c"\n')
    before = config.read_text()
    ran = answered("y\nn\n", other, "--config", config)
    assert (ran.code, config.read_text()) == (2, before)
    assert ran.err.index("Change b so?") < ran.err.index(f"Add a, d to {config}?")
    assert "nothing was changed" in ran.err
    assert answered("y\ny\n", other, "--config", config).code == 0
    written = {name: each["arm"] for name, each in config_of(tmp_path)["environments"].items()}
    assert written == {name: f"https://{name}.b.c" for name in "abd"}


def test_what_was_written_before_a_failure_is_said(script: Path) -> None:
    config = script.parent / "config.toml"
    # An environment that is added here would take the keys after it.
    config.write_text('environments.A.arm = "https://a.b.c"\ntheme = "ascii"\n')
    ran = import_(script.parent, script, "--yes", "--keep-secret")
    assert ran.code == 2
    (secret,) = (script.parent / "secrets").iterdir()
    assert "identities.west was added, but not west: is laid out" in ran.err
    assert f"the secret stays in {secret}" in ran.err
    assert list(config_of(script.parent)["identities"]) == ["west"]


def test_what_is_exported_of_a_stamp_is_imported_again(
    entra_stamp: RunningStamp, tmp_path: Path
) -> None:
    config = write_config(tmp_path, entra_stamp.describe())
    forms = ("env", "powershell", "cmd", "terraform", "az-commands", "az-powershell", "toml",
             "sdk-json", "sdk-python")  # fmt: skip
    for form in forms:
        ran = stacktui("environments", "export", "Test", "--format", form, "--config", config)
        assert ran.code == 0, ran.err
        assert entra_stamp.secret not in ran.out
        (tmp_path / form).mkdir()
        (tmp_path / form / "it").write_text(ran.out)
        own = ("--name", "Test", "--config", tmp_path / form / "config.toml")
        file = tmp_path / form / "it"
        if form == "sdk-json":  # whose reference is no part of the form
            back = answered("y\n", file, *own)
        else:
            back = stacktui("environments", "import", file, *own, "--yes")
        assert back.code == 0, back.err
        written = config_of(tmp_path / form)
        (identity,) = written["identities"].values()
        assert written["environments"]["Test"]["arm"] == entra_stamp.arm_url
        assert identity["client_id"] == entra_stamp.client_id
        assert identity["secret"] == {"file": entra_stamp.describe()["secret_file"]}


def test_the_secret_is_printed_only_when_asked_for_and_said(
    entra_stamp: RunningStamp, tmp_path: Path
) -> None:
    config = write_config(tmp_path, entra_stamp.describe())
    command = ("environments", "export", "--config", config, "--format", "env")
    assert entra_stamp.secret not in stacktui(*command).out
    ran = stacktui(*command, "--with-secrets")
    assert entra_stamp.secret in ran.out
    assert "secret" in ran.err
    assert entra_stamp.secret not in ran.err
    for form in ("toml", "az"):
        ran = stacktui(*command[:-1], form, "--with-secrets", "--yes")
        assert (ran.code, ran.out) == (2, "")
        assert f"the form {form} has no secrets" in ran.err


def test_with_secrets_says_that_there_is_none(entra_stamp: RunningStamp, tmp_path: Path) -> None:
    config = write_config(tmp_path, entra_stamp.describe())
    head = config.read_text().partition("[identities")[0]
    name = tomllib.loads(head)["environments"]["Test"]["identity"]
    for kind in ("device-code", "managed-identity"):
        config.write_text(f'{head}[identities.{name}]\nkind = "{kind}"\n')
        ran = stacktui(
            "environments", "export", "--config", config, "--format", "env", "--with-secrets"
        )
        assert ran.code == 0, ran.err
        assert "no secret is in this output" in ran.err


def test_an_identity_that_a_file_lacks_is_said(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_text(
        '[environments.West]\narm = "https://management.west.example"\nidentity = "ops"\n'
    )
    ran = import_(tmp_path, file, "--yes")
    assert (ran.code, "there is no [identities.ops] in the file" in ran.err) == (0, True)
    assert "identity" not in config_of(tmp_path)["environments"]["West"]


def test_what_a_check_has_recorded_is_completed_by_the_stamp_or_used_as_it_is(
    entra_stamp: RunningStamp, tmp_path: Path
) -> None:
    described = entra_stamp.describe()
    config = write_config(tmp_path, described)
    config.write_text(config.read_text().replace('identity = "tester"', ""))
    assert stacktui("check", "--config", config).code == 0
    export = ("environments", "export", "--format", "env", "--config", config)
    # Only the newer shape of the metadata has the tenant, and a check asks for the older one.
    write_config(tmp_path, described, tenant="")
    assert f"AZURE_TENANT_ID={entra_stamp.tenant}" in stacktui(*export).out
    dead = f'{{ "localhost:{entra_stamp.port}" = "127.0.0.1:9" }}'
    write_config(tmp_path, described, tenant="", resolve=dead)
    ran = stacktui(*export)
    assert (ran.code, "AZURE_TENANT_ID" in ran.out) == (0, False), ran.err
    assert f"ARM_ENDPOINT={entra_stamp.arm_url}" in ran.out


SAMPLE = {
    "clientId": "app", "clientSecret": SECRET, "objectId": "", "subscriptionId": "sub",
    "tenantId": "contoso.onmicrosoft.com", "location": "west",
    "resourceManagerEndpointUrl": "https://management.west.example",
}  # fmt: skip


def test_a_samples_file_is_imported_with_a_file_for_its_secret(tmp_path: Path) -> None:
    path = tmp_path / "azureSecretSpConfig.json"
    path.write_text(text := json.dumps(SAMPLE), encoding="utf-16")
    ran = import_(tmp_path, path, "--yes", "--keep-secret")
    assert ran.code == 0, ran.err
    assert "(read as sdk-json)" in ran.err
    (secret,) = (tmp_path / "secrets").iterdir()
    assert (secret.read_text(), stat.S_IMODE(secret.stat().st_mode)) == (SECRET, 0o600)
    assert config_of(tmp_path)["identities"]["west"]["secret"] == {"file": str(secret)}
    assert path.read_text(encoding="utf-16") == text
    assert SECRET not in ran.err + (tmp_path / "config.toml").read_text()


def test_the_password_of_a_certificate_is_said_not_to_come(tmp_path: Path) -> None:
    path = tmp_path / "azureCertSpConfig.json"
    path.write_text(json.dumps(SAMPLE | {"certPath": "spn.pfx", "certPass": SECRET}))
    ran = import_(tmp_path, path, "--yes")
    assert ran.code == 0, ran.err
    assert "! without certPass" in ran.err
    assert "! without clientSecret" in ran.err
    assert f"! {tmp_path / 'spn.pfx'} is no file of this machine" in ran.err
    assert config_of(tmp_path)["identities"]["west"]["certificate"] == str(tmp_path / "spn.pfx")
    assert SECRET not in ran.err + (tmp_path / "config.toml").read_text()


def test_the_variables_of_the_process_are_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ARM_ENDPOINT", "ARM_METADATA_HOST"):
        monkeypatch.delenv(name, raising=False)
    assert "neither ARM_ENDPOINT" in import_(tmp_path, "--from", "variables", "--yes").err
    values = {"ARM_ENDPOINT": "https://management.west.example", "AZURE_TENANT_ID": "t",
              "AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": SECRET}  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert import_(tmp_path, "--from", "variables", "--keep-secret").code == 2
    ran = import_(tmp_path, "--from", "variables", "--name", "West", "--yes")
    assert ran.code == 0, ran.err
    written = config_of(tmp_path)
    assert written["environments"] == {
        "West": {"arm": "https://management.west.example", "identity": "West"}
    }
    assert written["identities"]["West"]["secret"] == {"env": "AZURE_CLIENT_SECRET"}
    assert SECRET not in ran.err + ran.out + (tmp_path / "config.toml").read_text()
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", "/etc/ops/spn.pem")
    assert import_(tmp_path, "--from", "variables", "--name", "Own", "--yes").code == 0


def test_the_file_of_a_sample_is_printed_with_what_to_do_beside_it(
    entra_stamp: RunningStamp, tmp_path: Path
) -> None:
    config = write_config(tmp_path, entra_stamp.describe())
    command = ("environments", "export", "--config", config, "--format", "sdk-json")
    ran = stacktui(*command)
    assert json.loads(ran.out)["clientId"] == entra_stamp.client_id
    assert "azureSecretSpConfig.json" in ran.err
    assert "put the secret there" in ran.err
    itself = stacktui(*command, "--with-secrets")
    assert json.loads(itself.out)["clientSecret"] == entra_stamp.secret
    assert "put the secret there" not in itself.err
    assert entra_stamp.secret not in itself.err


def test_what_a_program_of_the_sdk_needs_is_said_until_it_is_there(
    entra_stamp: RunningStamp, tmp_path: Path
) -> None:
    config = write_config(tmp_path, entra_stamp.describe())
    command = ("environments", "export", "--config", config, "--format", "sdk-python")
    asked = f"stacktui certificates export --yes --config {config}"
    assert asked in stacktui(*command).err
    assert stacktui(*asked.split()[1:]).code == 0
    ran = stacktui(*command)
    assert (ran.code, ran.err) == (0, "")
    assert "import os" in ran.out


@pytest.mark.parametrize("key", ["clientId", "tenantId", "subscriptionId", "certPath"])
def test_control_characters_are_not_imported(key: str, tmp_path: Path) -> None:
    path = tmp_path / "sample.json"
    path.write_text(json.dumps(SAMPLE | {key: "a\u202eb"}))
    ran = import_(tmp_path, path, "--yes")
    assert (ran.code, "holds control characters" in ran.err) == (2, True), ran.err
    assert not (tmp_path / "config.toml").exists()
    path.write_text(json.dumps(SAMPLE))
    ran = import_(tmp_path, path, "--yes", "--name", "a\u202eb")
    assert (ran.code, "holds control characters" in ran.err) == (2, True), ran.err


SOURCES = {
    "sample.json": lambda path: json.dumps(
        SAMPLE | {"clientSecret": f"<the content of the file {path}>"}
    ),
    "script.sh": lambda path: (
        TEXT.partition("export AZURE_CLIENT_SECRET")[0]
        + f'export AZURE_CLIENT_SECRET="$(cat {path})"'
    ),
    "program.py": lambda path: (
        "from azure.identity import ClientSecretCredential\n"
        f'c = ClientSecretCredential("t", "app", open("{path}").read())\n'
        'Client(c, "sub", base_url="https://management.west.example")\n'
    ),
    "theirs.toml": lambda path: (
        '[environments.west]\narm = "https://management.west.example"\nidentity = "west"\n'
        '[identities.west]\nkind = "service-principal"\nclient_id = "app"\n'
        f'secret = {{ file = "{path}" }}\n'
    ),
    "certificate.json": lambda path: json.dumps(
        SAMPLE | {"clientSecret": "", "certPath": str(path)}
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_credential_from_a_place_that_the_author_chose_is_warned_of(
    name: str, tmp_path: Path
) -> None:
    """And taken only on an answer where the form itself has no references."""
    folder, precious = tmp_path / "theirs", tmp_path / "secrets" / "east"
    folder.mkdir()
    precious.parent.mkdir()
    precious.write_text(SECRET)
    (folder / "link").symlink_to(precious)
    (folder / ".hidden").write_text(SECRET)
    config, text = tmp_path / "config.toml", folder / name
    refused = name == "sample.json"
    for place in (precious, "../secrets/east", "link", ".hidden"):
        text.write_text(SOURCES[name](place))
        ran = import_(tmp_path, text, "--yes")
        assert (ran.code, config.exists()) == ((2, False) if refused else (0, True)), ran.err
        assert ("without --yes" in ran.err) is refused
        assert f"! a check signs in with the file {folder / place}" in ran.err
        config.unlink(missing_ok=True)
    text.write_text(SOURCES[name](precious))
    assert answered("n\n", text, "--config", config).code == 2
    assert not config.exists()
    # An identity of the config is a secret of this machine too.
    assert answered("y\n", text, "--config", config).code == 0
    assert str(precious) in str(config_of(tmp_path)["identities"]["west"])
    again = import_(tmp_path, text, "--yes", "--name", "another")
    assert again.code == (2 if refused else 0)
    assert "! a check signs in with the file" in again.err
    (folder / "own").write_text(SECRET)
    text.write_text(SOURCES[name]("own"))
    ran = import_(tmp_path, text, "--yes", "--name", "other")
    assert (ran.code, "a check signs in with" in ran.err) == (0, False)
    written = config_of(tmp_path)
    identity = written["identities"][written["environments"]["other"]["identity"]]
    assert str(folder / "own") in str(identity)


def test_a_secret_from_a_variable_that_the_author_chose_is_warned_of(script: Path) -> None:
    script.write_text(TEXT.replace(SECRET.replace("$", chr(92) + "$"), "$GITHUB_TOKEN"))
    ran = import_(script.parent, script, "--yes")
    warning = "! a check signs in with the variable GITHUB_TOKEN"
    assert (ran.code, warning in ran.err) == (0, True), ran.err
    assert config_of(script.parent)["identities"]["west"]["secret"] == {"env": "GITHUB_TOKEN"}


def test_a_text_from_standard_input_has_no_files_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").write_text(SECRET)
    monkeypatch.chdir(tmp_path)
    ran = answered(SOURCES["theirs.toml"]("own"), "-", "--yes", "--config", "config.toml")
    assert (ran.code, "! a check signs in with the file" in ran.err) == (0, True), ran.err
