"""The tree of errors, as drawn and as it is; and what is no fault at all."""

from __future__ import annotations

import errno
import re
import socket
import ssl
import subprocess
import sys
from importlib import import_module
from inspect import isclass
from pkgutil import walk_packages

import pytest

import stacktui
from stacktui import errors
from stacktui.errors import FaultError, StacktuiError, exhausted_resource, is_exhaustion


def classes() -> set[type[Exception]]:
    """Every public error class of the product. The stamp's are its own."""
    outside = ("stacktui.stamp", "stacktui.__main__")
    names = [each.name for each in walk_packages(stacktui.__path__, "stacktui.")]
    modules = [import_module(name) for name in names if not name.startswith(outside)]
    found = {value for module in modules for value in vars(module).values() if isclass(value)}
    return {
        each
        for each in found
        if issubclass(each, Exception)
        and each.__module__.startswith("stacktui.")
        and not each.__module__.startswith(outside)
        and not each.__name__.startswith("_")
    }


def test_every_error_stands_in_the_tree_below_its_base() -> None:
    drawn: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for found in re.finditer(r"^[ │├└─]*(\w+Error) ", errors.__doc__ or "", re.MULTILINE):
        depth = found.start(1) - found.start()
        path = [each for each in path if each[0] < depth]
        drawn[found[1]] = path[-1][1] if path else "Exception"
        path.append((depth, found[1]))
    bases = {each.__name__: each.__mro__[1].__name__ for each in classes()}
    assert bases == drawn


def test_a_message_is_one_harmless_line() -> None:
    assert str(StacktuiError("one\ntwo\x1b[31m")) == r"one\ntwo\x1b[31m"
    assert str(FaultError("a fault of\u202e no known kind")) == r"a fault of\u202e no known kind"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.EMFILE, "Too many open files", "certs.pem"),
        OSError(errno.ENOSPC, "No space left on device"),
        socket.gaierror(socket.EAI_MEMORY, "Memory allocation failure"),
        ssl.SSLError(1, "[SSL] malloc failure (_ssl.c:3062)"),
        ssl.SSLError(1, "unknown error (_ssl.c:3098)"),
        ImportError("libssl.so.3: failed to map segment from shared object"),
        ImportError("libssl.so.3: cannot open shared object file: Too many open files"),
    ],
)
def test_what_the_machine_runs_out_of_is_told_from_faults(error: BaseException) -> None:
    assert is_exhaustion(error)
    assert re.match("(out of memory|too many open files|no space left)", exhausted_resource(error))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied"),
        OSError(errno.EIO, "Input/output error"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        socket.gaierror(errno.EMFILE, "a code of getaddrinfo, which is no errno"),
        ssl.SSLError(1, "[SSL] unknown error (_ssl.c:1006)"),
        ImportError("libssl.so.3: cannot open shared object file: No such file or directory"),
        ssl.SSLError(errno.ENOMEM, "a code of OpenSSL, which is no errno"),
        ValueError("can't start new thread"),
        RuntimeError("no running event loop"),
        KeyboardInterrupt(),
    ],
)
def test_faults_are_no_exhaustion(error: BaseException) -> None:
    assert not is_exhaustion(error)


def test_a_thread_that_cannot_be_started_is_exhaustion() -> None:
    code = (
        "import resource, threading\n"
        "from stacktui.errors import is_exhaustion\n"
        "resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))\n"
        "threading.stack_size(512 << 20)\n"
        "try:\n"
        "    threading.Thread(target=print).start()\n"
        "except RuntimeError as error:\n"
        "    print(is_exhaustion(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
