"""The account that `az` is signed in with: how az is asked, and what may become of that."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from stacktui.azure_cli.launchers import launchers
from stacktui.environments.discovery import fetch_metadata
from stacktui.identities import az_account
from stacktui.identities.az_account import acquire_from_az
from stacktui.identities.faults import AzureCliFault, AzureCliProblem, IdentityError
from stacktui.identities.model import Identity, IdentityKind
from stacktui.identities.token import Token
from stacktui.stamp.running import RunningStamp
from stacktui.transport.limits import Limits
from tests.identities.sign_ins import identity_of, sign_in
from tests.support.azure import answering_az, registered_cloud
from tests.support.sessions import opened, trusting_file

PAIR = pytest.mark.parametrize("stamp_name", ["entra_stamp", "adfs_stamp"])
ACCOUNT = Identity("me", IdentityKind.AZURE_CLI)


@pytest.fixture
def stamp(stamp_name: str, request: pytest.FixtureRequest) -> RunningStamp:
    running = request.getfixturevalue(stamp_name)
    assert isinstance(running, RunningStamp)
    return running


@dataclass(frozen=True)
class Machine:
    """A machine with an `az` of the test's own on PATH."""

    bin: Path
    files: Path

    def az(self, script: str) -> None:
        answering_az(self.bin, script)

    def printing(self, document: object) -> None:
        (self.bin / "answer").write_text(json.dumps(document))
        self.az(f"cat {self.bin}/answer")

    def know(self, stamp: RunningStamp, **more: str) -> None:
        registered_cloud(
            self.files, stamp.arm_url, stamp.login_url, stamp.identity_provider_audience, **more
        )

    @property
    def arguments(self) -> list[str]:
        return (self.bin / "arguments").read_text().splitlines()

    @property
    def variables(self) -> dict[str, str]:
        lines = (self.bin / "variables").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    @property
    def was_asked(self) -> bool:
        return (self.bin / "arguments").exists()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path / "bin", tmp_path / "azure")
    made.bin.mkdir()
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(made.files))
    monkeypatch.setattr(az_account, "launchers", partial(launchers, ()))
    return made


async def token_of_az(
    stamp: RunningStamp, identity: Identity = ACCOUNT, limits: Limits | None = None
) -> Token:
    context = trusting_file(stamp.ca_file)
    async with opened(context, resolve=stamp.resolve, limits=limits) as session:
        metadata = await fetch_metadata(session, stamp.arm_url)
        return await acquire_from_az(session, metadata, identity, stamp.arm_url)


async def fault(stamp: RunningStamp, limits: Limits | None = None) -> AzureCliFault:
    with pytest.raises(IdentityError) as caught:
        await token_of_az(stamp, limits=limits)
    assert isinstance(caught.value.fault, AzureCliFault)
    return caught.value.fault


async def answer_of(stamp: RunningStamp) -> dict[str, object]:
    """What az prints, with a real token of the stamp's."""
    token, _ = await sign_in(stamp, identity_of(stamp))
    return {"accessToken": token.value, "expires_on": int(time.time()) + 3600, "tenant": "t"}


@PAIR
async def test_the_token_of_az_is_for_the_stamp(
    stamp: RunningStamp, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_SECRET", "s3cret-of-another-identity")
    machine.know(stamp, subscription="sub-1")
    machine.printing(await answer_of(stamp))
    token = await token_of_az(stamp)
    assert token.facts.audience == token.facts.resource == stamp.identity_provider_audience
    assert token.facts.subject == stamp.client_id
    assert token.lifetime == pytest.approx(3600, abs=30)
    assert machine.arguments == [
        "account", "get-access-token", "-o", "json",
        "--resource", stamp.identity_provider_audience, "--subscription", "sub-1",
    ]  # fmt: skip
    assert machine.variables["AZURE_CLOUD_NAME"] == "ours"
    assert machine.variables["AZURE_CORE_INSTANCE_DISCOVERY"] == "false"
    assert "OPS_SECRET" not in machine.variables


async def test_a_tenant_is_asked_for(entra_stamp: RunningStamp, machine: Machine) -> None:
    machine.know(entra_stamp, subscription="sub-1")
    machine.printing(await answer_of(entra_stamp))
    identity = Identity("me", IdentityKind.AZURE_CLI, tenant=entra_stamp.tenant)
    await token_of_az(entra_stamp, identity)
    assert machine.arguments[-2:] == ["--tenant", entra_stamp.tenant]


async def test_of_several_clouds_it_is_the_one_in_use(
    entra_stamp: RunningStamp, machine: Machine
) -> None:
    machine.know(entra_stamp)
    clouds = machine.files / "clouds.config"
    first = clouds.read_text()
    clouds.write_text(first + first.replace("[ours]", "[twin]"))
    machine.printing(await answer_of(entra_stamp))
    for active, expected in (("twin", "twin"), ("AzureCloud", "ours")):
        (machine.files / "config").write_text(f"[cloud]\nname = {active}\n")
        await token_of_az(entra_stamp)
        assert machine.variables["AZURE_CLOUD_NAME"] == expected


async def test_no_az(entra_stamp: RunningStamp, machine: Machine) -> None:
    found = await fault(entra_stamp)
    assert (found.problem, found.launcher) == (AzureCliProblem.NOT_INSTALLED, "")


@PAIR
async def test_a_cloud_that_az_does_not_know_is_never_named_to_it(
    stamp: RunningStamp, machine: Machine
) -> None:
    """az would make AzureCloud the active one."""
    machine.az("exit 0")
    assert (await fault(stamp)).problem is AzureCliProblem.NO_CLOUD
    registered_cloud(machine.files, "https://management.other.example", "", "")
    assert (await fault(stamp)).problem is AzureCliProblem.NO_CLOUD
    (machine.files / "clouds.config").write_text("no section\n")
    assert (await fault(stamp)).problem is AzureCliProblem.NO_CLOUD
    assert not machine.was_asked


@PAIR
@pytest.mark.parametrize("which", ["login", "audience"])
async def test_a_cloud_of_another_login_host_or_audience_is_not_asked(
    stamp: RunningStamp, which: str, machine: Machine
) -> None:
    machine.az("exit 0")
    values = {"login": stamp.login_url, "audience": stamp.identity_provider_audience}
    for other in ("https://other.example/", ""):
        values[which] = other
        registered_cloud(machine.files, stamp.arm_url, **values)
        found = await fault(stamp)
        assert found.problem is AzureCliProblem.OTHER_CLOUD
        assert (other.rstrip("/") or "not set") in found.detail
    assert not machine.was_asked


SAID = {
    "ERROR: Please run 'az login' to setup account.": ("not-signed-in", ""),
    "ERROR: No subscription found. Run 'az account set' to select a subscription.": (
        "not-signed-in",
        "",
    ),
    "ERROR: Subscription 'x' not found. Check the spelling and casing and try again.": (
        "not-signed-in",
        "",
    ),
    "ERROR: AADSTS700082: The refresh token has expired. Trace ID: 1\n"
    "Interactive authentication is needed. Please run:\naz login": ("refused", "AADSTS700082"),
    "ERROR: MSIS9615: It ended.\nPlease run:\naz login": ("refused", "MSIS9615"),
    "ERROR: HTTPSConnectionPool(host='login', port=443): Max retries exceeded": ("failed", ""),
    "Traceback: \x1b[31mred": ("failed", ""),
    "": ("failed", ""),
}


@pytest.mark.parametrize("said", SAID)
async def test_what_az_says_is_named(
    said: str, entra_stamp: RunningStamp, machine: Machine
) -> None:
    machine.know(entra_stamp)
    (machine.bin / "said").write_text(said)
    machine.az(f"cat {machine.bin}/said >&2; exit 1")
    found = await fault(entra_stamp)
    assert (found.problem.value, found.code) == SAID[said]
    assert found.launcher == str(machine.bin / "az")
    assert found.cloud == "ours"
    assert found.detail
    assert found.detail.isprintable()
    assert not found.detail.startswith("ERROR")


@pytest.mark.parametrize(
    "printed", ["", "{}", "[1]", "eyJ.no.json", '{"accessToken": "a b"}', "\xff"]
)
async def test_what_is_no_token(printed: str, entra_stamp: RunningStamp, machine: Machine) -> None:
    machine.know(entra_stamp)
    (machine.bin / "answer").write_text(printed, "latin-1")
    machine.az(f"cat {machine.bin}/answer")
    found = await fault(entra_stamp)
    assert found.problem is AzureCliProblem.NOT_UNDERSTOOD
    assert not printed or printed not in found.detail


@pytest.mark.parametrize("sign", ["@", "-"])
async def test_az_is_given_no_file_to_read_and_no_option(
    sign: str, entra_stamp: RunningStamp, machine: Machine
) -> None:
    """It would send the content of a file of this machine's to the sign-in service."""
    audience = f"{sign}/etc/passwd"
    machine.az("exit 0")
    registered_cloud(machine.files, entra_stamp.arm_url, entra_stamp.login_url, audience)
    async with opened(trusting_file(entra_stamp.ca_file), resolve=entra_stamp.resolve) as session:
        metadata = await fetch_metadata(session, entra_stamp.arm_url)
        hostile = replace(metadata, audience=audience)
        with pytest.raises(IdentityError) as caught:
            await acquire_from_az(session, hostile, ACCOUNT, entra_stamp.arm_url)
    assert isinstance(caught.value.fault, AzureCliFault)
    assert caught.value.fault.problem is AzureCliProblem.FAILED
    assert not machine.was_asked


async def test_output_without_end_is_bounded(entra_stamp: RunningStamp, machine: Machine) -> None:
    machine.know(entra_stamp)
    machine.az("head -c 30000000 /dev/zero; head -c 30000000 /dev/zero >&2")
    assert (await fault(entra_stamp)).problem is AzureCliProblem.NOT_UNDERSTOOD


async def test_a_token_for_another_audience(
    entra_stamp: RunningStamp, adfs_stamp: RunningStamp, machine: Machine
) -> None:
    machine.know(entra_stamp)
    answer = await answer_of(adfs_stamp)
    machine.printing(answer)
    found = await fault(entra_stamp)
    assert found.problem is AzureCliProblem.OTHER_AUDIENCE
    assert adfs_stamp.identity_provider_audience in found.detail
    assert str(answer["accessToken"]) not in repr(found)


async def test_an_az_that_cannot_be_run(entra_stamp: RunningStamp, machine: Machine) -> None:
    machine.know(entra_stamp)
    machine.az("")
    (machine.bin / "az").write_text("#!/nowhere/python\n")
    assert (await fault(entra_stamp)).problem is AzureCliProblem.FAILED


def pid_of(machine: Machine) -> int:
    """The sleep that az started; 0 before."""
    path = machine.bin / "pid"
    return int(path.read_text().strip() or 0) if path.exists() else 0


async def until(condition: Callable[[], bool]) -> None:
    def wait() -> None:
        ends = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < ends
            time.sleep(0.02)

    await asyncio.to_thread(wait)


def is_running(machine: Machine) -> bool:
    try:
        os.kill(pid_of(machine), 0)
    except ProcessLookupError:
        return False
    return True


async def test_an_az_that_does_not_end_is_ended_with_its_children(
    entra_stamp: RunningStamp, machine: Machine
) -> None:
    machine.know(entra_stamp)
    machine.az(f"sleep 60 & echo $! > {machine.bin}/pid; wait")
    found = await fault(entra_stamp, Limits(step=1))
    assert found.problem is AzureCliProblem.TIMEOUT
    assert "0.9 s" in found.detail
    await until(lambda: not is_running(machine))


async def test_cancelling_ends_it(entra_stamp: RunningStamp, machine: Machine) -> None:
    machine.know(entra_stamp)
    machine.az(f"sleep 60 & echo $! > {machine.bin}/pid; wait")
    task = asyncio.create_task(token_of_az(entra_stamp))
    await until(lambda: pid_of(machine) > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not is_running(machine))
