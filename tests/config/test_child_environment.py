"""A program that stacktui starts sees what it needs and no secret."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import stacktui
from stacktui.azure_cli.installations import find_azure_clis
from stacktui.tui.app import StacktuiApp
from stacktui.tui.clipboard import IN_TMUX
from tests.product import config_text
from tests.tui.screen import until

SECRETS = (
    "STACKTUI_SECRET", "STACKTUI_ANYTHING", "ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD", "PGPASSWORD", "GITHUB_TOKEN", "Ops",
)  # fmt: skip
NEEDED = {"AZURE_CONFIG_DIR": "/az", "LC_TIME": "C.UTF-8", "https_proxy": "http://proxy:3128"}
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")


@pytest.fixture(name="program")
def _program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A program that writes its environment to a file; to be linked to as `az` or `tmux`."""
    for name in SECRETS:
        monkeypatch.setenv(name, "geheim-1")
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\n")
    program.chmod(0o755)
    yield program
    seen = (tmp_path / "seen").read_text()
    assert "geheim" not in seen
    lines = seen.splitlines()
    for name in ("PATH", "HOME", *NEEDED):
        assert f"{name}={os.environ[name]}" in lines


def test_az_sees_no_secret(program: Path) -> None:
    (program.parent / "az").symlink_to(program)
    assert find_azure_clis(()) == ()
    seen = (program.parent / "seen").read_text()
    assert "AZURE_CORE_COLLECT_TELEMETRY=false" in seen


async def test_tmux_sees_no_secret_even_one_that_the_config_names(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (program.parent / "tmux").symlink_to(program)
    monkeypatch.setenv("TMUX", "/tmp/tmux,1,0")
    stamp = dict.fromkeys(("arm_url", "subscription_id", "ca_file", "tenant", "client_id"), "x")
    config = tmp_path / "config.toml"
    described = stamp | {"arm_url": "https://management.invalid", "resolve": {}}
    config.write_text(config_text(described | {"secret_file": "x"}, secret='{ env = "Ops" }'))
    async with StacktuiApp(config, auto_check=True).run_test(size=(100, 30)) as pilot:
        await until(pilot, "dns-not-found")
        await pilot.press("Y")
        await until(pilot, IN_TMUX)
    assert "TMUX=/tmp/tmux,1,0" in (program.parent / "seen").read_text()


# What is added to it are settings of az's, and nothing of this process's.
ALLOWED = ("child_environment()", "quiet", "{**child_environment(), **settings}")


def test_every_program_is_started_with_that_environment() -> None:
    started = 0
    for path in Path(stacktui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert not called.startswith(("os.system", "os.popen", "os.exec", "os.spawn")), path
            assert "create_subprocess_shell" not in called, path
            if called in ("subprocess.Popen", "subprocess.run") or "create_subprocess" in called:
                assert isinstance(node, ast.Call)
                (env,) = (ast.unparse(each.value) for each in node.keywords if each.arg == "env")
                assert env in ALLOWED, path
                started += 1
    assert started == 4
