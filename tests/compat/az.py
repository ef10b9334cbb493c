"""A real `az` 2.66: find or install it, and run it isolated from this machine's settings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser, Error
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from .own_venv import CHECKOUT, older_python, own_venv, wanted

VERSION = "2.66"
TURN_ON = (
    f"a real az {VERSION} is needed: set STACKTUI_AZ to its path, or STACKTUI_COMPAT=1 to have it "
    f"installed into .cache/az-{VERSION} (about 1.3 GB)"
)
SECONDS = 90
SEVERAL = """
import io, json, sys
from azure.cli.core import get_default_cli
for command in json.load(sys.stdin):
    out = io.StringIO()
    try:
        code = get_default_cli().invoke(command, out_file=out)
    except SystemExit as ended:
        code = ended.code
    print(json.dumps([code, out.getvalue()]), flush=True)
    print("\\0", end="", file=sys.stderr, flush=True)
"""
"""Runs commands by the function that `az` itself calls, and so starts Python once."""


def find() -> Path | None:
    """Return the `az` of STACKTUI_AZ, else ours (installed if missing), else None."""
    named = os.environ.get("STACKTUI_AZ")
    if named:
        return Path(named)
    if not wanted():
        return None
    return install(VERSION)


def install(version: str) -> Path:
    """Return the `az` of this version, in its own virtual environment."""

    def works(folder: Path) -> bool:
        if not (folder / "bin" / "az").exists():
            return False
        probe = [
            folder / "bin" / "python",
            "-c",
            "import azure.cli.core as c; print(c.__version__)",
        ]
        done = subprocess.run(probe, capture_output=True, text=True, check=False)
        return done.returncode == 0 and done.stdout.startswith(f"{version}.")

    folder = own_venv(f"az-{version}", [f"azure-cli=={version}.*"], works, older_python())
    return folder / "bin" / "az"


@dataclass(frozen=True)
class Done:
    """Result of an `az` run."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Az:
    """`az` with its own home and configuration under `folder`."""

    path: Path
    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    seconds: float = SECONDS

    @property
    def config(self) -> Path:
        return self.folder / "azure"

    @property
    def index(self) -> Path:
        """Where `az` keeps the index of its commands, for one profile."""
        return self.config / "commandIndex.json"

    @property
    def indexes(self) -> Path:
        """Where such indexes are kept for all tests, by profile."""
        return CHECKOUT / ".cache" / f"{self.path.parts[-3]}-commands"

    def environment(self) -> dict[str, str]:
        """Return PATH and az's settings: no proxy, CA bundle or credentials of ours.

        An empty value in `extra` unsets a variable.
        """
        settings = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "AZURE_CONFIG_DIR": str(self.config),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_LOGIN_EXPERIENCE_V2": "false",
            "AZURE_CORE_NO_COLOR": "true",
            **self.extra,
        }
        return {name: value for name, value in settings.items() if value}

    def __call__(self, *arguments: str) -> Done:
        """Run a command."""
        with self.commands_known():
            done = subprocess.run(
                [self.path, *arguments],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=self.seconds,
                check=False,
            )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command without waiting for its end."""
        return subprocess.Popen(
            [self.path, *arguments],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ok(self, *arguments: str) -> str:
        """Run a command that must succeed; return its standard output."""
        done = self(*arguments)
        assert done.code == 0, f"az {arguments[:2]} ended with {done.code}:\n{done.err}"
        return done.out

    @property
    def python(self) -> Path:
        """The interpreter beside `az`: that of its virtual environment, which has the SDK too."""
        return self.path.resolve().parent / "python"

    def several(self, commands: Sequence[Sequence[str]]) -> list[Done]:
        """Run commands in one process; each result has the errors of all, NUL between them."""
        with self.commands_known():
            done = subprocess.run(
                [self.python, "-c", SEVERAL],
                env=self.environment(),
                input=json.dumps(commands),
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        results = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(results) == len(commands), done.stderr
        return [Done(code, out, done.stderr) for code, out in results]

    def copy(self, folder: Path) -> Az:
        """Copy the clouds to another folder, without the cached tokens."""
        twin = Az(self.path, folder, self.extra)
        twin.config.mkdir(parents=True)
        for name in ("clouds.config", "config"):
            shutil.copy(self.config / name, twin.config / name)
        return twin

    @contextmanager
    def commands_known(self) -> Iterator[None]:
        """Give `az` the index of commands that it made in another folder, or keep the new one.

        Without one, in each new folder and after each change of the profile, it loads all its
        modules: 3 s, where a command with an index takes 0.3 s.
        """
        index, kept = self.index, self.indexes
        with suppress(OSError, Error, ValueError):
            if _profile_of(index) != (profile := self._profile()):
                self.config.mkdir(parents=True, exist_ok=True)
                shutil.copy(kept / profile, index)
        yield
        profile = _profile_of(index)
        if profile and not (kept / profile).exists():
            kept.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=kept, delete=False) as copy:
                copy.write(index.read_bytes())
            os.replace(copy.name, kept / profile)

    def _profile(self) -> str:
        """Return the profile of the active cloud."""
        parser = ConfigParser(interpolation=None)
        parser.read([self.config / "config", self.config / "clouds.config"], encoding="utf-8")
        name = self.extra.get("AZURE_CLOUD_NAME") or parser.get("cloud", "name", fallback="")
        return parser.get(name, "profile", fallback="latest")


def _profile_of(index: Path) -> str:
    """Return the profile that an index of commands is of, empty where there is none."""
    try:
        return str(json.loads(index.read_bytes())["cloudProfile"])
    except (OSError, ValueError, KeyError):
        return ""
