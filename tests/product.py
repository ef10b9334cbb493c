"""The product as its user meets it: a config file, a process, its output and exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacktui.stamp import SignInBy
from tests.support import nursery

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
        **dict.fromkeys(("certificate", "username", "password", "object_id", "resource_id"), ""),
        "kind": '"service-principal"',
    } | replaced
    of_identity = ("kind", "tenant", "client_id", "secret", "certificate", "username", "password",
                   "object_id", "resource_id")  # fmt: skip
    lines = ['active = "Test"', "[environments.Test]"]
    lines += [f"{key} = {keys[key]}" for key in keys if keys[key] and key not in of_identity]
    lines += [environment, "[identities.tester]"]
    lines += [f"{key} = {keys[key]}" for key in of_identity if keys[key]]
    return "\n".join([*lines, identity, ""])


def signing_in(by: SignInBy, stamp: Mapping[str, Any], **replaced: str) -> dict[str, str]:
    """What to replace in a config for an identity of the stamp that signs in so."""
    kinds = {
        SignInBy.PASSWORD: {
            "kind": '"user"',
            "username": f'"{stamp["user"]}"',
            "password": f'{{ file = "{stamp["password_file"]}" }}',
        },
        SignInBy.DEVICE_CODE: {"kind": '"device-code"'},
        SignInBy.MANAGED_IDENTITY: {"kind": '"managed-identity"', "tenant": ""},
        SignInBy.CERTIFICATE: {
            "certificate": f'"{stamp["certificate_file"]}"',
            "client_id": f'"{stamp["client_id"]}"',
        },
    }
    if by is SignInBy.SECRET:
        return replaced
    return {"secret": "", "client_id": ""} | kinds[by] | replaced


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


def stacktui(*arguments: str, **variables: str) -> Ran:
    """Run `stacktui` as a process in the test's own environment (see conftest).

    It is forked from one that has imported the product (`tests.support.nursery`), unless a
    variable is for the interpreter itself: imports would be most of the tests' time.
    """
    environment = dict(os.environ) | {"PYTHONIOENCODING": "utf-8"} | variables
    if hasattr(os, "fork") and not any(name.startswith("PYTHON") for name in variables):
        return Ran(*nursery.run(arguments, environment, PATIENCE))
    done = subprocess.run(
        [sys.executable, "-m", "stacktui", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def check_json(config: Path, *arguments: str, **variables: str) -> Ran:
    """`stacktui check --format json` on a config. Every command that it names is one of bash's."""
    ran = stacktui("check", "--config", str(config), "--format", "json", *arguments, **variables)
    for command in _commands(ran):
        read = subprocess.run(["bash", "-nc", command], capture_output=True, text=True, check=False)
        assert (read.returncode, read.stderr) == (0, ""), command
    return ran


def _commands(ran: Ran) -> list[str]:
    """The commands of a document's findings; none where there is no document."""
    if ran.code not in (0, 1) or not ran.out:
        return []
    document = ran.document
    found = [document["verdict"]] if document["verdict"] else []
    remedies = [each for finding in found + document["also_seen"] for each in finding["remedies"]]
    return [each["bash"] for each in remedies if each["bash"]]
