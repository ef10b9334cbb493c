"""A network with a resolver and a stamp on port 443."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.network.namespace import Network, NoNamespaceError, network
from tests.product import limited, write_config
from tests.support.interrupts import started

DOMAIN = "local.azurestack.external"
ARM, LOGIN = f"management.{DOMAIN}", f"login.{DOMAIN}"
STAMP = "127.0.0.1"
# Time-outs for lost packets, in seconds, and what a process takes besides on a busy machine.
LIMITS = {"dns": 1, "connect": 0.7, "tls": 0.7}
BUDGET, BESIDES = 20, 15
Answers = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Site:
    """A stamp that is reached by its names, and a resolver whose answers a test sets."""

    inside: Network
    stamp: dict[str, Any]
    names: Path

    def resolving(self, answers: Answers) -> None:
        # Replaced atomically, as the resolver may be reading.
        new = self.names.with_suffix(".new")
        new.write_text(json.dumps(answers), encoding="utf-8")
        new.replace(self.names)

    def checking(self, folder: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Start a check inside the network."""
        config = write_config(folder, self.stamp, resolve="")
        command = self.inside.command(sys.executable, "-m", "stacktui", "check", "--config", config)
        environment = self.inside.environment({"HOME": str(folder)})
        return started([*command, "--format", "json"], environment)

    def check(self, folder: Path, **replaced: str) -> dict[str, Any]:
        """Run a check inside the network within its time budget; return the document."""
        config = write_config(folder, self.stamp, **({"resolve": ""} | replaced))
        started = time.monotonic()
        done = self.inside.run(
            sys.executable, "-m", "stacktui", "check", "--config", config, "--format", "json",
            *limited(**LIMITS), HOME=str(folder),
        )  # fmt: skip
        took = time.monotonic() - started
        assert done.stderr == ""
        document: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if document["ok"] else 1)
        assert all(step["seconds"] <= BUDGET + 1 for step in document["steps"])
        assert took < BUDGET + BESIDES
        return document

    def verdict(self, folder: Path, step: str = "metadata", **replaced: str) -> dict[str, Any]:
        """Run a check that must fail in `step`; return the verdict."""
        document = self.check(folder, **replaced)
        failed = [each["name"] for each in document["steps"] if each["outcome"] == "failed"]
        assert failed == [step]
        verdict: dict[str, Any] = document["verdict"]
        return verdict

    def is_healthy(self, folder: Path) -> bool:
        return bool(self.check(folder)["ok"])


@pytest.fixture(scope="session")
def whole_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("network")
    names = folder / "names.json"
    names.write_text("{}", encoding="utf-8")
    server = Path(__file__).with_name("dns.py")
    try:
        with (
            network(folder) as inside,
            inside.serving(server, names),
            inside.serving("-m", "stacktui", "stamp", "--domain", DOMAIN, "--port", "443") as said,
        ):
            yield Site(inside, json.loads(said), names)
    except NoNamespaceError as error:
        pytest.skip(f"no network namespace can be made here: {error}")


@pytest.fixture
def site(whole_site: Site) -> Site:
    """The site without any fault."""
    whole_site.resolving({ARM: [STAMP], LOGIN: [STAMP]})
    return whole_site
