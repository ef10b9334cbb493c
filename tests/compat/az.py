"""A real `az` 2.66: finding or making it, and running it apart from everything on this box."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "2.66"
CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".cache" / f"az-{VERSION}"
TURN_ON = (
    f"a real az {VERSION} is needed: set STACKTUI_AZ to its path, or STACKTUI_COMPAT=1 to have it "
    f"installed into {CACHE.relative_to(CHECKOUT)} (about 400 MB)"
)
SECONDS = 90


def find() -> Path | None:
    """The `az` that the environment names, else ours (made when it is missing), else None."""
    named = os.environ.get("STACKTUI_AZ")
    if named:
        return Path(named)
    wanted = os.environ.get("STACKTUI_COMPAT") == "1" or os.environ.get("CI") == "true"
    return _ours() if wanted else None


def _ours() -> Path:
    """Our own `az`, made once: test processes that start together wait for each other."""
    CACHE.parent.mkdir(exist_ok=True)
    az = CACHE / "bin" / "az"
    with open(CACHE.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _works(az):
            subprocess.run([_python(), "-m", "venv", "--clear", CACHE], check=True)
            pip = [CACHE / "bin" / "python", "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, f"azure-cli=={VERSION}.*"], check=True)
            if not _works(az):
                raise RuntimeError(f"{az} does not work after its installation")
    return az


def _works(az: Path) -> bool:
    if not az.exists():
        return False
    probe = [az.parent / "python", "-c", "import azure.cli.core as c; print(c.__version__)"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.startswith(f"{VERSION}.")


def _python() -> str:
    """An interpreter that azure-cli 2.66 is made for: 3.12 at most."""
    if sys.version_info < (3, 13):
        return sys.executable
    return shutil.which("python3.12") or shutil.which("python3.11") or sys.executable


@dataclass(frozen=True)
class Done:
    """How an `az` run ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Az:
    """`az` with a home and a configuration of its own under `folder`."""

    path: Path
    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "azure"

    def environment(self) -> dict[str, str]:
        """Nothing of ours reaches `az` but PATH: no proxy, no CA bundle, no credentials."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "AZURE_CONFIG_DIR": str(self.config),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_LOGIN_EXPERIENCE_V2": "false",
            "AZURE_CORE_NO_COLOR": "true",
            **self.extra,
        }

    def __call__(self, *arguments: str) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [self.path, *arguments],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that waits for something."""
        return subprocess.Popen(
            [self.path, *arguments],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ok(self, *arguments: str) -> str:
        """Run a command that must succeed; its standard output."""
        done = self(*arguments)
        assert done.code == 0, f"az {arguments[:2]} ended with {done.code}:\n{done.err}"
        return done.out

    def copy(self, folder: Path) -> Az:
        """The same clouds in another place, without tokens: az would use a cached one."""
        twin = Az(self.path, folder, self.extra)
        twin.config.mkdir(parents=True)
        for name in ("clouds.config", "config"):
            shutil.copy(self.config / name, twin.config / name)
        return twin
