"""`stacktui environments add|use|remove|detect` against real stamps."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stacktui.check.settings import load_settings
from stacktui.config.locations import stamps_file
from stacktui.environments.record import read_record, write_record
from stacktui.stamp import Cloud, IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.diagnosis.servers import said
from tests.product import Ran, stacktui
from tests.support.authority import authority, localhost, server_context
from tests.support.listeners import closed_port
from tests.support.pasted import on_terminal
from tests.support.web import Asked, Raw, serving

DOMAIN = "west.contoso.example"
USER, OPERATOR = f"https://management.{DOMAIN}", f"https://adminmanagement.{DOMAIN}"
BY_HAND = "# by hand\ntheme = 'ascii'  # kept\n\n"


@pytest.fixture(scope="module", params=["aad", "adfs"])
def stamp(request: pytest.FixtureRequest) -> Iterator[RunningStamp]:
    options = StampOptions(idp=IdentityProvider(request.param), domain=DOMAIN, build="2301")
    with run_in_thread(options) as running:
        yield running


@pytest.fixture(scope="module")
def entra() -> Iterator[RunningStamp]:
    with run_in_thread(StampOptions(domain=DOMAIN, build="2301")) as running:
        yield running


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(BY_HAND)
    return path


def identity(stamp: RunningStamp, tenant: str = "") -> str:
    key = f'tenant = "{tenant}"\n' if tenant else ""
    secret = f'secret = {{ file = "{stamp.secret_file}" }}\n'
    kind = 'kind = "service-principal"\n'
    return f'[identities.ops]\n{kind}client_id = "{stamp.client_id}"\n{key}{secret}'


def reaching(stamp: RunningStamp, *, ca: bool = True) -> list[str]:
    pins = [f"--resolve={place}={pin}" for place, pin in stamp.resolve.items()]
    return [*pins, *([f"--ca={stamp.ca_file}"] if ca else []), "--proxy=none"]


def add(config: Path, *arguments: str) -> Ran:
    return stacktui("environments", "add", "--config", config, *arguments)


def table(config: Path) -> dict[str, Any]:
    return tomllib.loads(config.read_text())


def test_one_url_is_enough(stamp: RunningStamp, config: Path) -> None:
    ran = add(config, USER, "--name", "West", "--yes", *reaching(stamp))
    assert ran.code == 0, ran
    written = table(config)
    assert written["active"] == "West"
    assert set(written["environments"]["West"]) == {"arm", "ca", "proxy", "resolve"}
    assert config.read_text().startswith(f'active = "West"\n{BY_HAND}')
    for word in ("(metadata)", "(you)", "audience"):
        assert word in ran.out
    assert f"the operators' endpoint {OPERATOR} answers too" in ran.err
    assert "disagree" not in ran.err
    target = load_settings(config).target("West")
    record = read_record(config, target.environment)
    assert record is not None
    assert record.metadata.tenant == ("adfs" if "adfs" in stamp.login_url else stamp.tenant)
    assert record.metadata.derived == frozenset()  # the newer shape has the suffixes
    assert record.root
    assert stacktui("check", "--config", config, "West").code == 0


def test_show_has_every_endpoint_and_what_drifted(entra: RunningStamp, config: Path) -> None:
    assert add(config, USER, "--name=West", "--endpoint=gallery=https://own.example/", "--yes",
               *reaching(entra)).code == 0  # fmt: skip
    shown = ("environments", "show", "--config", config, "--fetch")
    assert "The stamp is as it was recorded." in stacktui(*shown).out
    environment = load_settings(config).target("West").environment
    known = read_record(config, environment)
    assert known is not None
    more = {**known.more, "portal": "https://portal.elsewhere.example/"}
    write_record(config, environment, replace(known, more=more, audience="https://other/"))
    ran = stacktui(*shown)
    assert "https://own.example/  (you)" in ran.out
    assert "! audience was recorded as https://other/" in ran.out
    found = stacktui(*shown, "--format=json").document
    assert [each["field"] for each in found["drifted"]] == ["portal", "audience"]
    assert found["drifted"][0]["now"] == f"https://portal.{DOMAIN}/"
    assert found["cloud"]["endpoints"]["arm"] == {"value": USER, "origin": "you"}
    assert found["settings"]["endpoints"] == "gallery = https://own.example/"


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        (f"management.{DOMAIN}", "https:// was put before it"),
        (f"{USER}/metadata/endpoints?api-version=1.0", "the path of the metadata was dropped"),
        (f"https://{USER}", "https:// was there twice"),
        (f"https://portal.{DOMAIN}/#home", f"portal.{DOMAIN} is the stamp's portal"),
        (f"https://{DOMAIN}", f"but {USER} answers"),
    ],
)
def test_what_is_pasted_is_corrected_and_said(
    pasted: str, told: str, entra: RunningStamp, config: Path
) -> None:
    ran = add(config, pasted, "--name=West", "--yes", "--format=json", *reaching(entra))
    assert ran.code == 0, ran
    assert table(config)["environments"]["West"]["arm"] == USER
    assert any(told in each for each in (*ran.document["changes"], ran.err))
    assert ran.document["changes"]


def test_the_document_has_what_was_found(entra: RunningStamp, config: Path) -> None:
    own = "https://gallery.example/"
    ran = add(config, USER, "--yes", "--both", "--format=json", f"--endpoint=gallery={own}",
              *reaching(entra))  # fmt: skip
    user, operator = ran.document["environments"]
    assert (user["name"], operator["name"]) == ("west", "west-admin")
    assert user["endpoints"]["gallery"] == {"value": own, "origin": "you"}
    assert user["endpoints"]["storage_suffix"] == {"value": DOMAIN, "origin": "metadata"}
    assert user["endpoints"]["login_endpoint"]["origin"] == "metadata"
    assert (user["tenant"], user["sibling"]) == (entra.tenant, OPERATOR)
    assert (user["identity_provider"], user["profile"]) == ("AAD", "2020-09-01-hybrid")
    environments = table(config)["environments"]
    assert environments["west-admin"]["arm"] == OPERATOR
    assert environments["west"]["endpoints"] == {"gallery": own}
    assert table(config)["active"] == "west"
    assert "endpoints" not in environments["west-admin"]
    assert operator["endpoints"]["gallery"]["origin"] == "metadata"
    assert f"the values of --endpoint are not set for {OPERATOR}" in " ".join(ran.err.split())


def test_the_development_kit_has_the_names_of_the_documents(config: Path) -> None:
    with run_in_thread(StampOptions(domain="local.azurestack.external")) as stamp:
        ran = add(config, "local", "--yes", "--both", *reaching(stamp))
    assert ran.code == 0
    assert list(table(config)["environments"]) == ["AzureStackUser", "AzureStackAdmin"]


def test_public_azure_has_the_profile_latest(config: Path) -> None:
    with run_in_thread(StampOptions(cloud=Cloud.PUBLIC)) as stamp:
        config.write_text(identity(stamp, stamp.tenant))
        ran = add(config, "management.azure.com", "--identity=ops", "--yes", "--format=json",
                  *reaching(stamp))  # fmt: skip
        assert ran.code == 0, ran
        (found,) = ran.document["environments"]
        assert found["endpoints"]["storage_suffix"] == {
            "value": "core.windows.net", "origin": "metadata"
        }  # fmt: skip
        assert found["endpoints"]["keyvault_suffix"]["value"] == ".vault.azure.net"
        assert found["sibling"] is None
        assert table(config)["environments"]["azure"]["profile"] == "latest"
        assert stacktui("check", "--config", config, "azure").code == 0
        ran = stacktui("environments", "detect", "--config", config, "azure")
        assert (ran.code, ran.out) == (0, "latest\n")


def test_the_tenant_is_given_to_an_identity_that_needs_one(
    entra: RunningStamp, config: Path
) -> None:
    config.write_text(identity(entra))
    ran = add(config, USER, "--name=West", "--identity=ops", "--yes", *reaching(entra))
    assert ran.code == 0
    assert table(config)["identities"]["ops"]["tenant"] == entra.tenant
    assert stacktui("check", "--config", config, "West").code == 0


def test_a_second_name_of_the_same_url_is_said(entra: RunningStamp, config: Path) -> None:
    assert add(config, USER, "--name=West", "--yes", *reaching(entra)).code == 0
    ran = add(config, USER, "--name=Also", "--yes", *reaching(entra))
    assert ran.code == 0
    assert "West has the same URL" in ran.err
    assert list(table(config)["environments"]) == ["West", "Also"]


REFUSED = {
    "http": (["http://management.west.contoso.example"], 2, "must be https, not http"),
    "a user name": (["https://u:geheim@management.west.example"], 2, "must not hold a user name"),
    "an unknown identity": ([USER, "--identity=nobody"], 2, "'nobody' is not there"),
    "an unknown value": ([USER, "--endpoint=galery=x"], 2, "did you mean gallery?"),
    "no pair": ([USER, "--endpoint=x"], 2, "--endpoint is KEY=VALUE"),
    "an http login": ([USER, "--endpoint=login_endpoint=http://l"], 2, "must be an https: URL"),
    "no CA file": ([USER, "--ca=/nowhere/ca.pem"], 2, "/nowhere/ca.pem"),
    "detect without identity": ([USER, "--profile=detect"], 2, "add --identity NAME"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_changes_nothing(what: str, config: Path) -> None:
    arguments, code, told = REFUSED[what]
    ran = add(config, *arguments, "--yes", "--proxy=none")
    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err
    assert "geheim" not in ran.err
    assert config.read_text() == BY_HAND


def test_a_stamp_that_is_down_is_not_added(config: Path) -> None:
    with closed_port() as port:
        ran = add(config, f"https://localhost:{port}", "--yes", "--proxy=none")
    assert (ran.code, ran.out) == (1, "")
    assert "nothing was added: localhost: " in ran.err
    assert config.read_text() == BY_HAND


async def test_yes_accepts_no_unknown_root_and_says_how_to_trust(config: Path) -> None:
    presenting = server_context(localhost(), authority().intermediate.pem + authority().root.pem)
    metadata = {"authentication": {"loginEndpoint": "https://login.example", "audiences": ["a"]}}
    async with serving(said(metadata), context=presenting) as web:
        arguments = (web.url, "--name=West", "--yes", "--proxy=none")
        ran = await asyncio.to_thread(add, config, *arguments)
        assert (ran.code, ran.out) == (1, "")
        assert "--ca FILE" in ran.err
        assert "environments" not in table(config)
        # What it says reads the chain of what is in no config.
        command = ran.err.rpartition("trust that: stacktui ")[2].split()
        ran = await asyncio.to_thread(stacktui, *command, "--config", config, "--yes")
        assert ran.code == 0, ran
        assert (await asyncio.to_thread(add, config, *arguments)).code == 0


async def test_shapes_that_disagree_are_a_warning(config: Path, tmp_path: Path) -> None:
    def respond(asked: Asked) -> Raw:
        login = "login" if "2015-01-01" in asked.target else "other"
        login = f"https://{login}.example/"
        return said({"authentication": {"loginEndpoint": login, "audiences": ["https://a/"]}})

    (tmp_path / "ca.pem").write_bytes(authority().root.pem)
    async with serving(respond, context=authority().server(localhost())) as web:
        arguments = (web.url, "--yes", "--proxy=none", f"--ca={tmp_path}/ca.pem")
        ran = await asyncio.to_thread(add, config, *arguments, "--format=json")
    assert ran.code == 0, ran
    line = "disagree on login endpoint: https://login.example (used), https://other.example"
    assert line in ran.err
    (found,) = ran.document["environments"]
    assert [each["field"] for each in found["disagreements"]] == ["login endpoint"]
    assert found["endpoints"]["login_endpoint"]["value"] == "https://login.example/"


def test_yes_accepts_no_changed_record(entra: RunningStamp, config: Path) -> None:
    arguments = (USER, "--name=West", "--yes", *reaching(entra))
    assert add(config, *arguments).code == 0
    environment = load_settings(config).target("West").environment
    known = read_record(config, environment)
    assert known is not None
    assert stacktui("environments", "remove", "--config", config, "West", "--yes").code == 0
    other = replace(known, login_endpoint="https://login.elsewhere.example")
    write_record(config, environment, other)
    before = config.read_text(), stamps_file().read_bytes()
    ran = add(config, *arguments)
    assert ran.code == 1
    assert "login endpoint was recorded as https://login.elsewhere.example" in ran.err
    assert "--yes does not accept" in ran.err
    assert (config.read_text(), stamps_file().read_bytes()) == before


def test_a_person_is_asked_for_each(entra: RunningStamp, config: Path) -> None:
    command = [sys.executable, "-m", "stacktui", "environments", "add", "--config", str(config)]
    replies = [("Add west", "y"), ("Go on with it?", "y"), ("Also add west-admin", "n")]
    code, screen = on_terminal([*command, USER, *reaching(entra)], replies, os.environ)
    assert code == 2
    assert "only west was added" in screen
    assert "nothing was changed" not in screen
    assert list(table(config)["environments"]) == ["west"]
    code, screen = on_terminal(
        [*command, USER, "--name=Also", *reaching(entra)], [("Add Also", "n")], os.environ
    )
    assert "nothing was added" in screen
    assert (code, list(table(config)["environments"])) == (2, ["west"])


def test_the_document_has_what_was_added_where_the_other_endpoint_is_not(
    entra: RunningStamp, config: Path
) -> None:
    arguments = ("--yes", "--both", "--format=json", *reaching(entra))
    assert add(config, OPERATOR, "--yes", *reaching(entra)).code == 0
    environment = load_settings(config).target("west-admin").environment
    known = read_record(config, environment)
    assert known is not None
    config.write_text(BY_HAND)
    write_record(config, environment, replace(known, login_endpoint="https://elsewhere.example"))
    ran = add(config, USER, *arguments)
    assert ran.code == 1
    assert f"only west was added: {OPERATOR} is not as it was recorded" in ran.err
    assert "nothing was" not in ran.err
    assert [each["name"] for each in ran.document["environments"]] == ["west"]
    assert list(table(config)["environments"]) == ["west"]


def test_where_nobody_answers_nothing_is_added(entra: RunningStamp, config: Path) -> None:
    ran = add(config, USER, *reaching(entra))
    assert ran.code == 2
    assert "nobody answered" in ran.err
    assert config.read_text() == BY_HAND


def test_processes_that_change_the_config_at_once_lose_nothing(
    entra: RunningStamp, config: Path
) -> None:
    names = [f"stamp-{number}" for number in range(4)]
    tables = [f'# of {name}\n[environments.{name}]\narm = "https://{name}"\n' for name in names]
    config.write_text(BY_HAND + "".join(tables))
    adding = [["add", USER, f"--name=West-{n}", "--yes", *reaching(entra)] for n in range(3)]
    setting = [["set", name, "subscription=5f0e9a10"] for name in names]
    commands = [*adding, *setting, ["use", "stamp-1"], ["remove", "stamp-3", "--yes"]]
    prefix = [sys.executable, "-m", "stacktui", "environments"]
    running = [
        subprocess.Popen(
            [*prefix, *command, "--config", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for command in commands
    ]
    for command, each in zip(commands, running, strict=True):
        _, errors = each.communicate(timeout=90)
        late = command[:2] == ["set", "stamp-3"]  # it may be gone then
        assert each.returncode == 0 or late, (command, errors)
    written = table(config)
    assert sorted(written["environments"]) == [f"West-{n}" for n in range(3)] + names[:3]
    assert all(written["environments"][name]["subscription"] == "5f0e9a10" for name in names[:3])
    assert written["active"] == "stamp-1"
    lines = config.read_text().splitlines()
    kept = [line for line in (BY_HAND + "".join(tables[:3])).splitlines() if line]
    assert [line for line in lines if line in kept] == kept  # comments and order


# use, remove


def test_use_makes_active(config: Path) -> None:
    config.write_text(
        BY_HAND + '[environments.A]\narm = "https://a"\n[environments.B]\narm = "https://b"\n'
    )
    assert stacktui("environments", "use", "--config", config, "B").code == 0
    assert table(config)["active"] == "B"
    assert BY_HAND in config.read_text()
    ran = stacktui("environments", "use", "--config", config, "C")
    assert (ran.code, ran.out) == (2, "")
    assert table(config)["active"] == "B"


def test_remove_asks_for_the_name(config: Path) -> None:
    of_b = "# of B\n[environments.B]\narm = 1\n"
    content = f'active = "A"\n[environments.A]\narm = "https://a"\n{of_b}'
    config.write_text(content)
    command = [sys.executable, "-m", "stacktui", "environments", "remove", "--config", str(config)]
    code, screen = on_terminal([*command, "A"], [("Type its name", "B")], os.environ)
    assert (code, config.read_text()) == (2, content)
    assert "nothing was changed" in screen
    code, screen = on_terminal([*command, "A"], [("Type its name", "A")], os.environ)
    assert code == 0
    assert "no environment is active now" in screen
    assert config.read_text() == of_b
    # One that cannot be used too.
    assert stacktui("environments", "remove", "--config", config, "B", "--yes").code == 0
    assert stacktui("environments", "remove", "--config", config, "B", "--yes").code == 2


# detect

PROFILES = {
    "1802": "2017-03-09-profile",
    "1811": "2018-03-01-hybrid",
    "1907": "2019-03-01-hybrid",
    "2501": "2020-09-01-hybrid",
}


@pytest.mark.parametrize("build", PROFILES)
def test_detect_finds_the_profile_of_a_build(build: str, config: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, build=build)) as stamp:
        config.write_text(identity(stamp, stamp.tenant))
        assert add(config, USER, "--name=West", "--identity=ops", "--yes", "--both",
                   *reaching(stamp)).code == 0  # fmt: skip
        ran = stacktui("environments", "detect", "--config", config, "West", "--yes")
        assert (ran.code, ran.out) == (0, f"{PROFILES[build]}\n")
        usual = PROFILES[build] == "2020-09-01-hybrid"
        assert ("is its profile already" if usual else "check again") in ran.err
        assert ("ARM refuses api-version 2019-10-01; the stamp names" in ran.err) is not usual
        assert table(config)["environments"]["West"].get("profile") == (
            None if usual else PROFILES[build]
        )
        assert stacktui("check", "--config", config, "West").code == 0
        ran = stacktui("environments", "detect", "--config", config, "west-admin", "--format=json")
        assert ran.code == 0
        found = ran.document["detected"]
        assert (found["profile"], found["build"].split(".")[1]) == (PROFILES[build], build)
        assert "profile" not in table(config)["environments"]["west-admin"]


def test_adding_detects_too(config: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, build="1910")) as stamp:
        config.write_text(identity(stamp))  # without the tenant, which the stamp names
        ran = add(config, USER, "--name=West", "--identity=ops", "--yes", "--profile=detect",
                  *reaching(stamp))  # fmt: skip
        assert ran.code == 0, ran
        assert "Microsoft.Compute/virtualMachines lists 2017-12-01" in ran.err
        assert table(config)["environments"]["West"]["profile"] == "2019-03-01-hybrid"
        assert stacktui("check", "--config", config, "West").code == 0


def test_no_secret_is_sent_before_the_user_agrees(config: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        config.write_text(identity(stamp))
        before = config.read_text()
        arguments = ("--name=West", "--identity=ops", "--profile=detect", *reaching(stamp))
        command = [sys.executable, "-m", "stacktui", "environments", "add", USER, *arguments]
        code, screen = on_terminal(
            [*command, "--config", str(config)], [("Sign in and add West", "n")], os.environ
        )
        assert (code, "nothing was added" in screen) == (2, True), screen
        # --yes takes a host that was guessed, but sends nothing secret there.
        ran = add(config, DOMAIN, "--yes", *arguments)
        assert ran.code == 1
        assert f"signs in to no host that was not named: give {USER}" in ran.err
        assert stamp.requests
        assert {each.method for each in stamp.requests} == {"GET"}
    assert config.read_text() == before


def test_an_adfs_that_refuses_the_default_scope_is_said_to_be_older(config: Path) -> None:
    options = StampOptions(
        idp=IdentityProvider.ADFS, domain=DOMAIN, build="2008", adfs_default_scope=False
    )
    with run_in_thread(options) as stamp:
        config.write_text(identity(stamp))
        assert add(config, USER, "--name=West", "--identity=ops", "--yes",
                   *reaching(stamp)).code == 0  # fmt: skip
        ran = stacktui("environments", "detect", "--config", config, "West", "--yes")
    assert (ran.code, ran.out) == (0, "2019-03-01-hybrid\n")
    assert "older than 1.2108.2.130" in ran.err


def test_detecting_reads_only_and_reports_a_refusal(config: Path) -> None:
    with run_in_thread(StampOptions(domain=DOMAIN, fault="sp-secret-wrong")) as stamp:
        config.write_text(identity(stamp, stamp.tenant))
        ran = add(config, USER, "--name=West", "--identity=ops", "--yes", "--profile=detect",
                  *reaching(stamp))  # fmt: skip
        assert ran.code == 1
        assert "stacktui check" not in ran.err  # nothing has this name yet
        assert "environments" not in table(config)
        assert add(config, USER, "--name=West", "--identity=ops", "--yes",
                   *reaching(stamp)).code == 0  # fmt: skip
        ran = stacktui("environments", "detect", "--config", config, "West", "--yes")
        assert (ran.code, ran.out) == (1, "")
        assert "stacktui check" in ran.err
        assert {each.method for each in stamp.requests} <= {"GET", "POST"}
