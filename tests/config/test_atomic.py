"""A reader finds the old content or the new, whatever happens to the writer."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from stacktui.config.atomic import exclusive, write_atomically

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


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("link", "it is a link to gone, which leads to no file"),
        ("linked", "it is a link to link, which leads to no file"),
        ("there/link", "it is a link to ../gone, which leads to no file"),
        ("link/folder/file", "its folder {}/link is a link to gone, which leads to no file"),
    ],
)
def test_nothing_is_written_through_a_dangling_link(path: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("gone")
    (tmp_path / "linked").symlink_to("link")
    (tmp_path / "folder").mkdir()
    (tmp_path / "there").symlink_to("folder")
    (tmp_path / "folder" / "link").symlink_to("../gone")
    for write in (write_atomically, lambda path, _: exclusive(path).__enter__()):
        with pytest.raises(FileNotFoundError) as caught:
            write(tmp_path / path, NEW)
        assert caught.value.strerror == text.format(tmp_path)
    assert not (tmp_path / "gone").exists()
    write_atomically(tmp_path / "there" / "file", NEW)
    assert (tmp_path / "folder" / "file").read_bytes() == NEW


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_root_does_not_take_a_users_file_away(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_atomically(path, OLD)
    os.chown(path, 12345, 23456)
    write_atomically(path, NEW)
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (12345, 23456)


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_new_file_has_the_mode_that_was_asked_for(tmp_path: Path, mode: int) -> None:
    write_atomically(tmp_path / "f", NEW, mode=mode)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == mode


_COUNTER = """
import sys
from pathlib import Path
from stacktui.config.atomic import exclusive, write_atomically
path = Path(sys.argv[1])
for _ in range(40):
    with exclusive(path):
        count = int(path.read_bytes()) if path.exists() else 0
        write_atomically(path, str(count + 1).encode())
"""


def test_writers_that_wait_for_each_other_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "counter"
    writers = [subprocess.Popen([sys.executable, "-c", _COUNTER, path]) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert path.read_bytes() == b"160"
    assert list(path.parent.iterdir()) == [path]


_HOLDER = """
import sys, time
from pathlib import Path
from stacktui.config.atomic import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_stopped_holder_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        held = pytest.raises(TimeoutError, match="holds its folder locked")
        with held, exclusive(path, patience=0.2):
            pass
        holder.kill()
    with exclusive(path):
        write_atomically(path, NEW)
    assert path.read_bytes() == NEW


def test_what_a_killed_writer_left_goes_with_the_next_one(tmp_path: Path) -> None:
    path, neighbour = tmp_path / "f", tmp_path / ".g.abc.stacktui"
    hers, left = tmp_path / ".f.swp", tmp_path / ".f.x1y2z3w4.stacktui"
    for each in (neighbour, hers, left):
        each.touch()
    with exclusive(path):
        pass
    assert sorted(tmp_path.iterdir()) == sorted([neighbour, hers])
