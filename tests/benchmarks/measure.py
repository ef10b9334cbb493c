"""What the benchmarks share: a stamp in a process of its own, medians, and a table of ratios."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from stacktui.certificates.trust import BASE_VARIABLES

LATENCY = 0.02
RUNS = 9


@contextmanager
def stamp_process(*options: str) -> Iterator[dict[str, Any]]:
    """A stamp that answers after 20 ms; gives what it prints."""
    command = [sys.executable, "-m", "stacktui", "stamp", "--latency", str(LATENCY), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def write_config(folder: Path, stamp: Mapping[str, Any]) -> Path:
    """A config for the stamp, as its user would write it."""
    path = folder / "config.toml"
    path.write_text(
        f"""active = "Bench"
[environments.Bench]
arm = "{stamp["arm_url"]}"
identity = "bench"
subscription = "{stamp["subscription_id"]}"
ca = "{stamp["ca_file"]}"
proxy = "none"
[identities.bench]
kind = "service-principal"
tenant = "{stamp["tenant"]}"
client_id = "{stamp["client_id"]}"
secret = {{ file = "{stamp["secret_file"]}" }}
""",
        encoding="utf-8",
    )
    return path


def clean_environment() -> dict[str, str]:
    """The environment without what would change which certificates are read."""
    unwanted = set(BASE_VARIABLES)
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def terminal_environment(folder: Path, term: str, colorterm: str) -> dict[str, str]:
    """The environment of a program in a terminal of this kind, with its files in `folder`."""
    environ = clean_environment() | {
        "TERM": term,
        "COLORTERM": colorterm,
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "TMUX": "",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    environ.pop("NO_COLOR", None)
    return environ


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for this process's config and records; no variable names other certificates."""
    for name in BASE_VARIABLES:
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = folder
        yield Path(folder)


def az_option(description: str | None) -> str | None:
    """The real az that the command line names, else STACKTUI_AZ."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--az", default=os.environ.get("STACKTUI_AZ"), help="a real az 2.66")
    named: str | None = parser.parse_args().az
    return named


def az_environment(stamp: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """The environment of an az that trusts the stamp, with its files in `folder`."""
    return clean_environment() | {
        "AZURE_CONFIG_DIR": f"{folder}/azure",
        "HOME": str(folder),
        "REQUESTS_CA_BUNDLE": stamp["ca_file"],
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
    }


def az_sign_in(stamp: Mapping[str, Any], cloud: str) -> list[list[str]]:
    """The commands after which az is signed in on the stamp, without the program's name."""
    tenant = "adfs" if stamp["idp"] == "adfs" else stamp["tenant"]
    secret = f"--password={stamp['secret']}"
    return [
        ["cloud", "register", "-n", cloud, "--endpoint-resource-manager", stamp["arm_url"]],
        ["cloud", "set", "-n", cloud],
        ["cloud", "update", "--profile", "2020-09-01-hybrid"],
        ["login", "--service-principal", "-u", stamp["client_id"], secret, "--tenant", tenant],
    ]


def run_quietly(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(
        command,
        env=environment or clean_environment(),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def console_script(*arguments: str) -> list[str]:
    """A command line of ours, as a user's shell finds it."""
    return [str(Path(sys.executable).with_name("stacktui")), *arguments]


def bare_script(name: str, stamp: Mapping[str, Any], folder: Path) -> list[str]:
    """The command line of a script beside this one, which is given a described stamp."""
    described = folder / "stamp.json"
    described.write_text(json.dumps(stamp), encoding="utf-8")
    return [sys.executable, str(Path(__file__).with_name(name)), str(described)]


def timed(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def alternate(runs: int, *works: Callable[[], object]) -> list[float]:
    """The median seconds of each, run in turn A B A B … after one warm-up."""
    for work in works:
        work()
    seconds = [[timed(work) for work in works] for _ in range(runs)]
    return [median(column) for column in zip(*seconds, strict=True)]


def row(name: str, ours: float, theirs: float, bound: float) -> None:
    """One line: both medians, their ratio, and the bound it is held to."""
    ratio = ours / theirs
    word = "within" if ratio <= bound else "ABOVE"
    print(
        f"{name:<44} {ours * 1000:8.1f} ms {theirs * 1000:8.1f} ms "
        f"ratio {ratio:6.3f}  {word} {bound:.3f}"
    )
