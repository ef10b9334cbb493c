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
        "proxy": '"none"',
        "resolve": f"{{ {pins} }}",
        "tenant": f'"{stamp["tenant"]}"',
        "client_id": f'"{stamp["client_id"]}"',
        "secret": f'{{ file = "{stamp["secret_file"]}" }}',
        "certificate": "",
    } | replaced
    of_identity = ("tenant", "client_id", "secret", "certificate")
    lines = ['active = "Test"', "[environments.Test]"]
    lines += [f"{key} = {keys[key]}" for key in keys if keys[key] and key not in of_identity]
    lines += [environment, "[identities.tester]", 'kind = "service-principal"']
    lines += [f"{key} = {keys[key]}" for key in of_identity if keys[key]]
    return "\n".join([*lines, identity, ""])


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
    """Run `stacktui` as a process in the test's own environment (see conftest)."""
    done = subprocess.run(
        [sys.executable, "-m", "stacktui", *arguments],
        env=dict(os.environ) | {"PYTHONIOENCODING": "utf-8"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def check_json(config: Path, *arguments: str, **variables: str) -> Ran:
    """`stacktui check --format json` on a config."""
    return stacktui("check", "--config", str(config), "--format", "json", *arguments, **variables)
