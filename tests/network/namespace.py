"""A network namespace with its own loopback, packet filter and resolver.

Processes inside reach neither the machine's network nor its resolver, and the machine's network
does not change. The namespace ends with the last process inside.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SECONDS = 60
# User namespaces first: where they are not allowed, root may still make the others.
_KINDS = (("-rnm", ("-U", "--preserve-credentials", "-n", "-m")), ("-nm", ("-n", "-m")))
# Names are resolved by these files and our server only.
_FILES = {
    "resolv.conf": "nameserver 127.0.0.1\n",
    "nsswitch.conf": "hosts: files dns\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
}
_ENTER = """
set -e
for name in resolv.conf nsswitch.conf hosts; do mount --bind "$0/$name" "/etc/$name"; done
ip link set lo up
nft add table inet probe
nft delete table inet probe
echo up
cat
"""
# Variables that would change what a process inside connects to or trusts.
_UNWANTED = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle",
             "ssl_cert_file", "ssl_cert_dir", "curl_ca_bundle")  # fmt: skip


class NoNamespaceError(Exception):
    """No namespace can be made on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Network:
    """A running namespace. Its files and the homes of its processes are in `folder`."""

    folder: Path
    pid: int
    enter: tuple[str, ...]

    def command(self, *words: str | Path) -> list[str]:
        return ["nsenter", "-t", str(self.pid), *self.enter, "--", *map(str, words)]

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {name: os.environ[name] for name in os.environ if name.lower() not in _UNWANTED}
        ours = {"HOME": str(self.folder), "PYTHONPATH": str(CHECKOUT), "LC_ALL": "C.UTF-8"}
        return kept | ours | dict(variables or {})

    def run(
        self, *words: str | Path, seconds: float = SECONDS, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside to its end."""
        return subprocess.run(
            self.command(*words), env=self.environment(variables), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=seconds, check=False,
        )  # fmt: skip

    def must(self, *words: str) -> None:
        done = self.run(*words)
        assert done.returncode == 0, (words, done.stderr)

    @contextmanager
    def filtering(self, *rules: str) -> Iterator[None]:
        """Apply nftables rules to all input while the context lasts."""
        self.must("nft", "add table inet test")
        try:
            self.must("nft", "add chain inet test input { type filter hook input priority 0; }")
            for rule in rules:
                self.must("nft", f"add rule inet test input {rule}")
            yield
        finally:
            self.must("nft", "delete table inet test")

    @contextmanager
    def serving(self, *words: str | Path) -> Iterator[str]:
        """Run a server inside, which prints one line once it is up; yields that line."""
        process = subprocess.Popen(
            self.command(sys.executable, *words), env=self.environment(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{words} did not start: {process.communicate()[1]}")
            yield line
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """Make a network; NoNamespaceError where this machine allows none."""
    unshare, enter = _kind()
    process, _ = _start(unshare, folder)
    try:
        # `unshare` execs the shell, so that its process is the one inside.
        yield Network(folder, process.pid, enter)
    finally:
        process.communicate(timeout=SECONDS)


def _start(option: str, folder: Path) -> tuple[subprocess.Popen[str], str]:
    for name, content in _FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    process = subprocess.Popen(
        ["unshare", option, "sh", "-c", _ENTER, folder], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    if process.stdout.readline() == "up\n":
        return process, ""
    return process, process.communicate()[1].strip()


@cache
def _kind() -> tuple[str, tuple[str, ...]]:
    """Return the way of making a namespace that this machine allows."""
    trouble = []
    for option, enter in _KINDS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                process, why = _start(option, Path(folder))
            except FileNotFoundError as error:
                raise NoNamespaceError(str(error)) from None
            process.communicate(timeout=SECONDS)
            if not why and process.returncode == 0:
                return option, enter
            trouble.append(f"unshare {option}: {why}")
    raise NoNamespaceError("; ".join(trouble))
