"""A program that stacktui starts sees what it needs and no secret."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from contextlib import nullcontext
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
    "LC_OPS_SECRET", "XDG_OPS_SECRET",  # as sshd takes LC_* over from a client
)  # fmt: skip
NEEDED = {"AZURE_CONFIG_DIR": "/az", "LC_TIME": "C.UTF-8", "https_proxy": "http://proxy:3128"}
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")


# How a program can be started besides, or by other names.
OTHER_WAYS = re.compile(
    r"\bos\.(system|popen|exec|spawn|posix_spawn|fork|startfile)|\bimport (pty|webbrowser)\b|"
    r"\bmultiprocessing|ProcessPoolExecutor|\bclick\.(launch|edit|echo_via_pager)|\.open_url\(|"
    r"subprocess_(shell|exec)\b(?<!create_subprocess_exec)|subprocess\.(call|check_|get)|"
    r"\bfrom (subprocess|os|pty|asyncio\.subprocess) import|\bimport (subprocess|os) as"
)


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


async def test_the_editor_sees_no_secret(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", f"{program} -x")
    config = program.parent / "config.toml"
    config.write_text("")
    app = StacktuiApp(config)
    async with app.run_test(size=(100, 30)) as pilot:
        monkeypatch.setattr(app, "suspend", nullcontext)  # a pilot has no terminal to give away
        await pilot.press("ctrl+e")
        await until(pilot, "1 Environments")
        while not (program.parent / "seen").exists():
            await pilot.pause(0.02)


# What is added to it are settings of az's, and nothing of this process's.
ALLOWED = (
    "child_environment()",
    "child_environment() | {'AZURE_CORE_COLLECT_TELEMETRY': 'false'}",
    "{**child_environment(), **settings}",
)


def test_every_program_is_started_with_that_environment() -> None:
    started = 0
    for path in Path(stacktui.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not OTHER_WAYS.search(text), path
        if "subprocess" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("subprocess.Popen", "subprocess.run") or "create_subprocess" in called:
                assert isinstance(node, ast.Call)
                (env,) = (ast.unparse(each.value) for each in node.keywords if each.arg == "env")
                assert env in ALLOWED, path
                started += 1
    assert started == 4
