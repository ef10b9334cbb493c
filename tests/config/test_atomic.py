"""A reader finds the old content or the new, whatever happens to the writer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stacktui.config.atomic import write_atomically

OLD, NEW = b"o" * 200_000, b"n" * 200_000
_WRITER = """
import sys
from pathlib import Path
from stacktui.config.atomic import write_atomically
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    write_atomically(path, b"n" * 200_000)
    write_atomically(path, b"o" * 200_000)
"""


def test_a_new_file_holds_the_content(tmp_path: Path) -> None:
    write_atomically(tmp_path / "f", NEW)
    assert (tmp_path / "f").read_bytes() == NEW


def test_a_killed_writer_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_atomically(path, OLD)
    for round_ in range(12):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, path], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        # A moment later each round, counted in contents seen, so that the kill falls anywhere.
        for _ in range(round_ * 7):
            assert path.read_bytes() in (OLD, NEW)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert path.read_bytes() in (OLD, NEW)


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "f"
    write_atomically(path, OLD)

    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, NEW)
    monkeypatch.undo()
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_in_the_files_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "d", NEW)
    assert list(tmp_path.iterdir()) == [tmp_path / "d"]


def test_a_dangling_link_gets_its_target(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write_atomically(tmp_path / "link", NEW)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == NEW


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_root_does_not_take_a_users_file_away(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_atomically(path, OLD)
    os.chown(path, 12345, 23456)
    write_atomically(path, NEW)
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (12345, 23456)
