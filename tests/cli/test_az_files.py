"""`stacktui environments export --format az` and `import --from az`: az's files, out and in."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stacktui.check.settings import load_settings
from stacktui.environments.cloud import cloud_of
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.record import StampRecord, more_of, write_record
from stacktui.exchange.az_form import options_of
from stacktui.stamp.running import RunningStamp
from tests.product import Ran, stacktui, write_config
from tests.support.azure import installed_az
from tests.support.pasted import on_terminal

ARM = "https://management.r.west.example"
LOGIN = "https://login.west.example"
CONFIG = f"""# by hand
active = "West"

[environments.West]
arm = "{ARM}"
"""
METADATA = Metadata(
    "2015-01-01", LOGIN, "https://management.west/7f/", IdentityProvider.ENTRA,
    graph="https://graph.west.example/", gallery="https://gallery.west.example:30015/",
    storage_suffix="r.west.example", keyvault_suffix=".vault.r.west.example",
    login_as_given=f"{LOGIN}/",
)  # fmt: skip
SECTION = f"""[West]
profile = 2020-09-01-hybrid
endpoint_active_directory = {LOGIN}/
endpoint_active_directory_graph_resource_id = https://graph.west.example/
endpoint_active_directory_resource_id = https://management.west/7f/
endpoint_gallery = https://gallery.west.example:30015/
endpoint_resource_manager = {ARM}
suffix_keyvault_dns = .vault.r.west.example
suffix_storage_endpoint = r.west.example

"""
HOSTILE = "a\x1b[2J\u202eb"


@pytest.fixture(autouse=True)
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))
    return tmp_path / "azure"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config whose one stamp is recorded, and cannot be reached."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    environment = load_settings(path).target().environment
    now, more = datetime.now(UTC), more_of(METADATA)
    record = StampRecord(ARM, LOGIN, METADATA.audience, now, more=more)
    assert write_record(path, environment, record) == ""
    return path


def put(azure: Path, content: str, name: str = "clouds.config") -> Path:
    azure.mkdir(exist_ok=True)
    (azure / name).write_text(content, encoding="utf-8")
    return azure / name


def environments(command: str, config: Path, *arguments: str) -> Ran:
    ran = stacktui("environments", command, "--config", config, *arguments)
    for line in (ran.out + ran.err).split("\n"):
        assert line == "" or line.isprintable(), line
    return ran


def export(config: Path, *arguments: str) -> Ran:
    return environments("export", config, "--format", "az", *arguments)


def on_screen(
    command: str, config: Path, *arguments: str, replies: list[tuple[str, str]]
) -> tuple[int, str]:
    line = [sys.executable, "-m", "stacktui", "environments", command, "--config", str(config)]
    code, screen = on_terminal([*line, *arguments], replies, os.environ)
    assert "\x1b" not in screen
    return code, screen


# export


def test_export_writes_the_section_and_says_what_and_where(azure: Path, config: Path) -> None:
    ran = export(config, "--yes")
    assert (ran.code, ran.out) == (0, "")
    assert (azure / "clouds.config").read_text() == SECTION
    assert f"{azure / 'clouds.config'}: [West] is new" in ran.err
    assert f"  + endpoint_resource_manager = {ARM}" in ran.err
    assert "next: az cloud set -n West" in ran.err
    assert not (azure / "config").exists()
    again = export(config, "--yes")
    assert (again.code, "[West] is there, the same" in again.err) == (0, True)
    assert os.listdir(azure) == ["clouds.config"]


@pytest.mark.parametrize(("version", "said"), [("2.73.0", True), ("2.72.0", False)])
def test_export_says_where_az_cannot_work_with_it(
    version: str, said: bool, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(installed_az(tmp_path / "az", version).parent))
    ran = export(config, "--yes")
    assert ran.code == 0
    assert (f"az {version} cannot work with a stamp" in ran.err) == said


def test_export_changes_what_differs_and_keeps_a_copy(azure: Path, config: Path) -> None:
    old = SECTION.replace(":30015", ":1") + "[Other]\nx = 1\n"
    path = put(azure, old)
    ran = export(config, "--yes")
    assert ran.code == 0
    assert "  - endpoint_gallery = https://gallery.west.example:1/" in ran.err
    assert ran.err.count("  + ") == 1
    backup = path.with_name("clouds.config.before-stacktui")
    assert f"as it was before: {backup}" in ran.err
    assert path.read_text() == SECTION + "[Other]\nx = 1\n"
    assert backup.read_text() == old


def test_what_az_alone_has_is_said_and_stays(azure: Path, config: Path) -> None:
    alias = "endpoint_vm_image_alias_doc"
    content = SECTION.rstrip("\n") + f"\n{alias} = https://a.test/x\n\n"
    path = put(azure, content)
    ran = export(config, "--yes")
    assert "[West] is there, with more than the stamp has" in ran.err
    assert f"{alias} = https://a.test/x stays" in ran.err
    assert path.read_text() == content
    shown = environments("show", config).out
    assert "West: differs" in shown
    assert f"{alias} https://a.test/x (stamp: none)" in shown
    ran = environments("import", config, "--from", "az", "--yes")
    assert "West: differs" in ran.err
    assert f"{alias} = https://a.test/x (here: none)" in ran.err


def test_export_asks(azure: Path, config: Path) -> None:
    code, screen = on_screen("export", config, "--format", "az", replies=[("Write this?", "n\r")])
    assert (code, azure.exists()) == (2, False)
    assert "nothing was changed" in screen
    ran = export(config)
    assert (ran.code, "nobody answered" in ran.err, azure.exists()) == (2, True, False)
    replies = [("Write this?", "y\r"), ("all of az's clouds", "n\r")]
    code, screen = on_screen("export", config, "--format", "az", replies=replies)
    assert code == 0
    assert (azure / "clouds.config").read_text() == SECTION
    assert not (azure / "config").exists()


def test_only_a_word_of_the_user_s_changes_what_is_for_all_clouds(
    azure: Path, config: Path
) -> None:
    said = export(config, "--yes").err
    assert "--no-instance-discovery sets it" in said
    assert not (azure / "config").exists()
    replies = [("all of az's clouds", "y\r")]
    code, _ = on_screen("export", config, "--format", "az", replies=replies)
    assert (code, (azure / "config").read_text()) == (
        0, "[core]\ninstance_discovery = false\n\n",
    )  # fmt: skip
    assert "instance_discovery" not in export(config, "--yes").err
    (azure / "config").unlink()
    assert export(config, "--yes", "--no-instance-discovery").code == 0
    assert (azure / "config").read_text() == "[core]\ninstance_discovery = false\n\n"


def test_a_cloud_is_made_active_on_request(
    azure: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(azure, "[cloud]\nname = AzureCloud\n[core]\noutput = table\n", "config")
    ran = export(config, "--yes", "--activate")
    assert path.read_text() == "[cloud]\nname = West\n[core]\noutput = table\n"
    assert "active cloud of az: AzureCloud -> West" in ran.err
    assert "az cloud set" not in ran.err
    monkeypatch.setenv("AZURE_CLOUD_NAME", "Other")
    assert "AZURE_CLOUD_NAME=Other is set here" in export(config, "--yes", "--activate").err


def test_variables_of_this_shell_do_not_decide_what_is_written(
    azure: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(azure, "[cloud]\nname = AzureCloud\n", "config")
    monkeypatch.setenv("AZURE_CLOUD_NAME", "West")
    monkeypatch.setenv("AZURE_CORE_INSTANCE_DISCOVERY", "false")
    ran = export(config, "--yes", "--activate")
    assert "active cloud of az: AzureCloud -> West" in ran.err
    assert "--no-instance-discovery sets it" in ran.err
    assert path.read_text() == "[cloud]\nname = West\n"
    monkeypatch.setenv("AZURE_CORE_INSTANCE_DISCOVERY", "true")
    ran = export(config, "--yes", "--no-instance-discovery")
    assert "AZURE_CORE_INSTANCE_DISCOVERY turns it on here" in ran.err


def test_a_file_that_az_cannot_use_is_left_alone(azure: Path, config: Path) -> None:
    path = put(azure, "x = 1\n" + SECTION)
    ran = export(config, "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert "line 1 is before any [section]" in ran.err
    assert path.read_text() == "x = 1\n" + SECTION


def test_what_would_be_refused_is_not_asked_for(azure: Path, config: Path) -> None:
    put(azure, "[Other]\nprofile = 2031\n")
    ran = export(config)
    assert (ran.code, "knows no such profile" in ran.err, "Write" in ran.err) == (2, True, False)


def test_export_is_refused_in_read_only_mode(azure: Path, config: Path) -> None:
    config.write_text("read_only = true\n" + CONFIG)
    ran = export(config, "--yes")
    assert (ran.code, "read-only" in ran.err, azure.exists()) == (2, True, False)


def test_the_options_of_az_are_for_az_alone(config: Path) -> None:
    for option in ("--activate", "--no-instance-discovery"):
        ran = environments("export", config, "--format", "toml", option)
        assert (ran.code, ran.out) == (2, "")


# show


def test_show_says_how_it_stands_in_az(azure: Path, config: Path) -> None:
    assert "In az" not in environments("show", config).out
    document = environments("show", config, "--format", "json").document
    assert document["az"] == {"state": "absent", "name": "", "active": False, "differences": []}
    put(azure, SECTION)
    put(azure, "[cloud]\nname = West\n", "config")
    assert "  cloud            West, active: same" in environments("show", config).out
    put(azure, SECTION.replace("7f/", "7f"))
    audience = "endpoint_active_directory_resource_id"
    assert f"  {audience} https://management.west/7f (" in environments("show", config).out
    assert environments("show", config, "--format", "json").document["az"] == {
        "state": "differs", "name": "West", "active": True, "differences": [
            {"option": audience, "registered": METADATA.audience[:-1],
             "expected": METADATA.audience},
        ],
    }  # fmt: skip
    put(azure, "x")
    ran = environments("show", config, "--format", "json")
    assert (ran.code, ran.document["az"], "line 1" in ran.err) == (0, None, True)


# import


def test_import_of_what_the_stamp_says_stores_little(
    azure: Path, adfs_stamp: RunningStamp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What az wrote at registration is what discovery gives, so nothing of it is an override."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(adfs_stamp.ca_file))
    ours = write_config(tmp_path, adfs_stamp.describe())
    assert export(ours, "--yes", "--activate").code == 0
    content = (azure / "clouds.config").read_text() + "subscription = s-1\n"
    put(azure, content.replace("\n\nsubscription", "\nsubscription"))
    other = tmp_path / "other.toml"
    ran = environments("import", other, "--from", "az", "--yes")
    assert (ran.code, ran.out) == (0, ""), ran
    assert "Test: new, active in az" in ran.err
    assert "subscription = s-1" in ran.err
    settings = load_settings(other)
    (environment,) = settings.environments.values()
    assert (settings.active, environment.name, environment.arm) == (
        "Test", "Test", adfs_stamp.arm_url,
    )  # fmt: skip
    assert (environment.subscription, environment.endpoints) == ("s-1", {})


def test_import_works_without_the_stamp(azure: Path, tmp_path: Path) -> None:
    arm = "https://management.west.invalid"
    put(azure, SECTION.replace(ARM, f"{arm}/") + "[AzureCloud]\nsubscription = s\n")
    put(azure, "[cloud]\nname = AzureCloud\n", "config")
    path = tmp_path / "new.toml"
    ran = environments("import", path, "--from", "az", "--yes")
    assert ran.code == 0, ran
    assert "as the stamp could not be asked" in ran.err
    environment = load_settings(path).target("West").environment
    assert environment.arm == arm
    again = cloud_of(environment, METADATA)
    for option, text in options_of(again).items():
        assert text == arm or f"{option} = {text}\n" in SECTION


def test_import_leaves_an_environment_of_the_same_name(azure: Path, config: Path) -> None:
    path = put(azure, SECTION)
    ran = environments("import", config, "--from", "az", "--yes")
    assert (ran.code, "West: same" in ran.err) == (0, True)
    path.write_text(SECTION.replace("2020-09-01", "2019-03-01") + "subscription=s-2\n")
    ran = environments("import", config, "--from", "az", "--yes")
    assert (ran.code, config.read_text()) == (0, CONFIG)
    assert "profile = 2019-03-01-hybrid (here: 2020-09-01-hybrid)" in ran.err
    replies = [("Change West to what az has?", "y\r")]
    code, _ = on_screen("import", config, "--from", "az", replies=replies)
    assert code == 0
    environment = load_settings(config).target().environment
    assert (environment.profile, environment.subscription) == ("2019-03-01-hybrid", "s-2")
    assert "West: same" in environments("import", config, "--from", "az", "--yes").err


UNUSABLE = {
    "[Half]\nsubscription = s\n": "Half: unusable: it has no endpoint_resource_manager",
    "[Plain]\nendpoint_resource_manager = http://x\n": "Plain: unusable: must be https",
    f"[West]\nendpoint_resource_manager = {ARM}:8443\n": f"West: unusable: the environment of this "
    f"name is {ARM}",
    "[P]\nprofile = latest\nendpoint_resource_manager = https://h.invalid\n"
    "endpoint_active_directory = http://h.invalid\n": "must be an https: URL",
    "[P]\nendpoint_resource_manager = https://h.invalid\nendpoint_active_directory_resource_id = "
    "https://graph.microsoft.com\n": "Microsoft's public cloud",
    f"[{HOSTILE}]\nsubscription = s\n": "unusable",
}  # fmt: skip


@pytest.mark.parametrize("content", UNUSABLE)
def test_what_cannot_be_imported_is_said(content: str, azure: Path, config: Path) -> None:
    put(azure, content)
    ran = environments("import", config, "--from", "az", "--yes")
    assert (ran.code, UNUSABLE[content] in ran.err) == (0, True), ran
    assert config.read_text() == CONFIG


def test_where_nobody_answers_nothing_is_imported(azure: Path, tmp_path: Path) -> None:
    put(azure, SECTION)
    path = tmp_path / "new.toml"
    ran = environments("import", path, "--from", "az")
    assert (ran.code, "nobody answered" in ran.err, path.exists()) == (2, True, False)
    put(azure, "x = 1\n")
    ran = environments("import", path, "--from", "az", "--yes")
    assert (ran.code, "line 1 is before any" in ran.err) == (2, True)
    (azure / "clouds.config").unlink()
    ran = environments("import", path, "--from", "az", "--yes")
    assert (ran.code, "no clouds" in ran.err, path.exists()) == (0, True, False)


def test_many_are_imported_at_once(azure: Path, tmp_path: Path) -> None:
    """All or none, in one writing of the config, and those that do not answer in bounded time."""
    sections = "".join(
        f"[S{number}]\nendpoint_resource_manager = https://management.s{number}.invalid\n"
        for number in range(300)
    )
    put(azure, sections)
    path = tmp_path / "new.toml"
    ran = environments("import", path, "--from", "az", "--yes")
    assert ran.code == 0, ran
    assert list(load_settings(path).environments) == [f"S{number}" for number in range(300)]
    assert load_settings(path).active == "S0"
