"""The product as its user meets it: a config file, a process, its output and exit code."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stacktui.cli.main import run
from stacktui.config import locations, read_only
from stacktui.stamp import SignInKind

# Long enough for the slowest bound of a check (20 s), short enough to notice a hang.
PATIENCE = 60


def config_text(
    stamp: Mapping[str, Any], environment: str = "", identity: str = "", **replaced: str
) -> str:
    """A config for a described stamp. `replaced` sets or, with an empty value, drops a key."""
    pins = ", ".join(f'"{name}" = "{pin}"' for name, pin in stamp["resolve"].items())
    keys = {
        "arm": f'"{stamp["arm_url"]}"',
        "identity": '"tester"',
        "subscription": f'"{stamp["subscription_id"]}"',
        "ca": f'"{stamp["ca_file"]}"',
        "proxy": f'"{stamp.get("proxy") or "none"}"',
        "resolve": f"{{ {pins} }}",
        "tenant": f'"{stamp["tenant"]}"',
        "client_id": f'"{stamp["client_id"]}"',
        "secret": f'{{ file = "{stamp["secret_file"]}" }}',
        **dict.fromkeys(("certificate", "certificate_password"), ""),
        **dict.fromkeys(("username", "password", "object_id", "resource_id"), ""),
        "kind": '"service-principal"',
    } | replaced
    of_identity = ("kind", "tenant", "client_id", "secret", "certificate",
                   "certificate_password", "username", "password", "object_id",
                   "resource_id")  # fmt: skip
    lines = ['active = "Test"', "[environments.Test]"]
    lines += [f"{key} = {keys[key]}" for key in keys if keys[key] and key not in of_identity]
    lines += [environment, "[identities.tester]"]
    lines += [f"{key} = {keys[key]}" for key in of_identity if keys[key]]
    return "\n".join([*lines, identity, ""])


def signing_in(kind: SignInKind, stamp: Mapping[str, Any], **replaced: str) -> dict[str, str]:
    """What to replace in a config for an identity of the stamp that signs in so."""
    kinds = {
        SignInKind.PASSWORD: {
            "kind": '"user"',
            "username": f'"{stamp["user"]}"',
            "password": f'{{ file = "{stamp["password_file"]}" }}',
        },
        SignInKind.DEVICE_CODE: {"kind": '"device-code"'},
        SignInKind.MANAGED_IDENTITY: {"kind": '"managed-identity"', "tenant": ""},
        SignInKind.CERTIFICATE: {
            "certificate": f'"{stamp["certificate_file"]}"',
            "client_id": f'"{stamp["client_id"]}"',
        },
    }
    if kind is SignInKind.SECRET:
        return replaced
    return {"secret": "", "client_id": ""} | kinds[kind] | replaced


def imds_of(stamp: Mapping[str, Any]) -> dict[str, str]:
    """The variables by which the stamp's instance metadata service is found."""
    return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": stamp["imds_url"]}


def write_config(folder: Path, stamp: Mapping[str, Any], **replaced: str) -> Path:
    path = folder / "config.toml"
    path.write_text(config_text(stamp, **replaced), encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Ran:
    """What a finished process left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """stdout as the JSON document that it must be, whole."""
        document: dict[str, Any] = json.loads(self.out)
        return document


def stacktui(
    *arguments: str | Path, encoding: str = "utf-8", stdin: str = os.devnull, **variables: str
) -> Ran:
    """Run a command line of `stacktui` in this process, from its arguments to its exit code.

    It sees the test's own environment (see conftest), these variables, and the file `stdin`.
    Starting an interpreter and importing the product would take most of the tests' time; where the
    process itself is what is tested, there is `stacktui_process`.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding, newline="") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, open(stdin, encoding="utf-8") as given:
        patch.setenv("STACKTUI_DEBUG", "")  # restored: `--debug` sets it for its process
        for name, value in variables.items():
            patch.setenv(name, value)
        for name, stream in (("stdin", given), ("stdout", out), ("stderr", err)):
            patch.setattr(sys, name, stream)
        # A process that is given a demo's config stays with the demo; this one goes on.
        patch.setattr(locations, "_demo_root", locations._demo_root)
        patch.setattr(read_only, "_asked_by", dict(read_only._asked_by))
        code = run([str(each) for each in arguments])
    written = []
    for stream in (out, err):
        stream.seek(0)
        written.append(stream.read())
    return Ran(code, *written)


def stacktui_process(*arguments: str | Path, **variables: str) -> Ran:
    """Run `stacktui` as a process of its own, with the same environment."""
    environment = dict(os.environ) | {"PYTHONIOENCODING": "utf-8"} | variables
    done = subprocess.run(
        [sys.executable, "-m", "stacktui", *map(str, arguments)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def limited(**limits: float) -> list[str]:
    """The options that set these limits."""
    return [word for name, value in limits.items() for word in ("--limit", f"{name}={value}")]


def check_json(config: Path, *arguments: str, **variables: str) -> Ran:
    """`stacktui check --format json` on a config. Every command that it names is one of bash's."""
    ran = stacktui("check", "--config", str(config), "--format", "json", *arguments, **variables)
    for command in _commands(ran):
        read = subprocess.run(["bash", "-nc", command], capture_output=True, text=True, check=False)
        assert (read.returncode, read.stderr) == (0, ""), command
    return ran


def _commands(ran: Ran) -> set[str]:
    """The commands of a document's findings; none where there is no document."""
    if ran.code not in (0, 1) or not ran.out:
        return set()
    document = ran.document
    found = [document["verdict"]] if document["verdict"] else []
    remedies = [each for finding in found + document["also_seen"] for each in finding["remedies"]]
    return {each["bash"] for each in remedies if each["bash"]}
