"""Children that are `az`: run one with a time limit, and end it with its own children."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from stacktui.config.child_environment import child_environment

# A token has at most 16 KiB; az's errors are shorter.
_MAX_OUTPUT = 64 * 1024
# What cmd, which runs a batch file, would read as more than one plain word.
_NOT_FOR_BATCH = frozenset("\"%&|<>^!() ,;=\r\n'`")


@dataclass(frozen=True, slots=True)
class Ended:
    """What an ended process left; its output may hold a token."""

    code: int
    out: bytes = field(repr=False)
    err: bytes = field(repr=False)


async def run_az(
    launcher: Path, arguments: Sequence[str], settings: Mapping[str, str], seconds: float
) -> Ended:
    """Run `az` without a shell, in `child_environment` and with these settings.

    Ends it where that takes longer than `seconds`, or where the caller is cancelled. Raises OSError
    where it cannot be started, TimeoutError, and ValueError for arguments that a batch file (az on
    Windows) cannot be given.
    """
    is_batch = launcher.suffix.lower() in (".cmd", ".bat")
    if is_batch and any(_NOT_FOR_BATCH & {*each} for each in arguments):
        raise ValueError("a value of the command cannot go through cmd to az")
    async with asyncio.timeout(seconds):
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                launcher,
                *arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**child_environment(), **settings},
                start_new_session=True,
            )
        )
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:  # asyncio would end it without its children
            await _end(await starting)
            raise
        try:
            assert process.stdout is not None  # noqa: S101  for the type
            assert process.stderr is not None  # noqa: S101  likewise
            out, err = await asyncio.gather(_read(process.stdout), _read(process.stderr))
            return Ended(await process.wait(), out, err)
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        kill_with_children(process)
        await process.wait()


def kill_with_children(process: subprocess.Popen[bytes] | asyncio.subprocess.Process) -> None:
    """Kill a process that leads a session, and all in it."""
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


async def _read(stream: asyncio.StreamReader) -> bytes:
    """Return the output, up to a bound; what is beyond it is dropped."""
    kept = b""
    while chunk := await stream.read(_MAX_OUTPUT):
        kept = (kept + chunk)[:_MAX_OUTPUT]
    return kept
