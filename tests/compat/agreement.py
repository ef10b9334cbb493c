"""Situations in which a real az works or fails, and what the check says of it beforehand.

az goes the way of its user: it registers the stamp if it has no cloud for it, signs in as the
environment's identity, and lists the groups.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from tests.product import SignInKind, check_json, signing_in, write_config

from .az import Az
from .conftest import CLOUD, PROFILE, register

AAD, ADFS = IdentityProvider.AAD, IdentityProvider.ADFS
OFF = {"AZURE_CORE_INSTANCE_DISCOVERY": "false"}
UNSET = ""
# A healthy command takes a second or two on an idle machine.
SECONDS = 90
TOKENS, PRINCIPALS = "msal_token_cache.json", "service_principal_entries.json"


@dataclass(frozen=True)
class Machine:
    """An az with files of its own, the stamp, and a config whose identity az signs in as too."""

    az: Az
    stamp: RunningStamp
    folder: Path

    @property
    def files(self) -> Path:
        return self.az.config

    def rewrite(self, name: str, old: str, new: str) -> None:
        """Replace a text in one of az's files, where it first stands."""
        path = self.files / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


Prepare = Callable[[Machine], Mapping[str, str] | None]


@dataclass(frozen=True)
class Situation:
    """One row: `works` and the id of the first finding, and what az prints (a pattern).

    `prepare` changes az's files, and returns variables to set for az and check alike, or to unset.
    `registered` az has the stamp's cloud already. `limits` are options of the check. Without
    `profile` az registers the stamp by its endpoint alone.
    """

    name: str
    works: bool | None = True
    first: str = ""
    says: str = ""
    idp: IdentityProvider = AAD
    kind: SignInKind = SignInKind.SECRET
    fault: str | None = None
    stamp: Mapping[str, Any] = field(default_factory=dict)
    prepare: Prepare | None = None
    config: Callable[[Machine], dict[str, str]] | None = None
    registered: bool = False
    limits: tuple[str, ...] = ()
    profile: bool = True

    @property
    def options(self) -> StampOptions:
        return StampOptions(idp=self.idp, groups=2, fault=self.fault, **self.stamp)


def login_of(situation: Situation, machine: Machine, config: Mapping[str, str]) -> list[str]:
    """Return az's login with what the config's identity signs in by."""
    stamp = machine.stamp
    if situation.kind is SignInKind.PASSWORD:
        return ["-u", stamp.user, "-p", stamp.password, "--tenant", stamp.tenant]
    tenant = config.get("tenant", "").strip('"') or stamp.tenant
    principal = ["--service-principal", "-u", stamp.client_id, "--tenant", tenant]
    if situation.kind is SignInKind.CERTIFICATE:
        named = config.get("certificate", f'"{stamp.certificate_file}"').strip('"')
        return [*principal, "--certificate", named]
    secret = Path(stamp.secret_file)
    return [*principal, "-p", secret.read_text() if secret.exists() else ""]


@contextmanager
def played(situation: Situation, az_path: Path, folder: Path) -> Iterator[Machine]:
    """Start the stamp, and connect an az to it as far as the situation has it connected."""
    with run_in_thread(situation.options) as stamp:
        trusting = {"REQUESTS_CA_BUNDLE": stamp.ca_file, **OFF}
        az = Az(az_path, folder / "home", trusting)
        az.config.mkdir(parents=True)
        machine = Machine(az, stamp, folder)
        if situation.registered:
            clouds = {
                "endpoint_active_directory": stamp.login_url,
                "endpoint_active_directory_graph_resource_id": "https://graph.local.test/",
                "endpoint_active_directory_resource_id": stamp.identity_provider_audience,
                "endpoint_resource_manager": stamp.arm_url,
                "profile": PROFILE,
            }
            lines = [f"{key} = {value}" for key, value in clouds.items()]
            text = "\n".join([f"[{CLOUD}]", *lines, ""])
            (az.config / "clouds.config").write_text(text)
        yield machine


def compare(situation: Situation, az_path: Path, folder: Path) -> bool | None:
    """Check, then run az; assert that they agree, and return what the check said."""
    with played(situation, az_path, folder) as machine:
        more = dict(situation.prepare(machine) or {}) if situation.prepare else {}
        az = Az(az_path, machine.az.folder, {**machine.az.extra, **more}, SECONDS)
        config = signing_in(situation.kind, machine.stamp.describe())
        if situation.config is not None:
            config |= situation.config(machine)
        path = write_config(folder, machine.stamp.describe(), **config)
        said_of_az = judged(az, path, situation.limits)
        failed = _run(situation, az, Machine(az, machine.stamp, folder), config)
    said = f"{situation.name}: check says {said_of_az}; az: {failed and failed[-1500:]}"
    if situation.works is not None:
        assert (failed is None) is situation.works, said
    assert said_of_az["works"] is situation.works, said
    ids = [each["id"] for each in said_of_az["findings"]]
    if situation.first:
        assert ids[:1] == [situation.first], said
    elif situation.works:
        assert set(ids) <= {"az-too-new"}, said
    if situation.says:
        assert failed is not None, said
        assert re.search(situation.says, failed), said
    works: bool | None = said_of_az["works"]
    return works


def judged(az: Az, config: Path, limits: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what a check says of this az, with az's own variables and no others."""
    environment = az.environment()
    path = os.pathsep.join([str(az.path.parent), os.environ["PATH"]])
    ran = check_json(config, *limits, **environment | {"PATH": path})
    assert ran.code in (0, 1), ran.err
    found: list[dict[str, Any]] = ran.document["clients"]
    return next(each for each in found if each["path"] == str(az.path))


def _run(situation: Situation, az: Az, machine: Machine, config: Mapping[str, str]) -> str | None:
    """Go az's way; return what it printed where it failed, None where it got to the end."""
    named = Az(az.path, az.folder, {"AZURE_CLOUD_NAME": CLOUD, **az.extra}, az.seconds)
    try:
        if not situation.registered:
            profile = ("--profile", PROFILE) if situation.profile else ()
            done = register(az, machine.stamp, *profile)
            if done.code:
                return done.err
        for command in (["login", *login_of(situation, machine, config)], ["group", "list"]):
            done = named(*command)
            if done.code:
                return done.err
    except subprocess.TimeoutExpired:
        return "az does not end"
    return None
