"""What every test can rely on: none of this machine's settings, homes or trust stores."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import certifi
import hypothesis
import pytest

from stacktui.azure_cli.launchers import launchers
from stacktui.python_clients.packages import find_environments
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread, runtime
from stacktui.stamp.running import RunningStamp
from tests.support.draws import draws

# Variables that change what is trusted, how hosts are reached, which files are read, or how
# a terminal is written to.
_TRUST = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_CLIENTS = ("VIRTUAL_ENV", "CONDA_PREFIX")
_TERMINAL = ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES", "TZ")
_PREFIXES = ("STACKTUI_", "XDG_", "AZURE_", "ADAL_", "ARM_", "MSAL_", "MSI_", "IDENTITY_", "IMDS_",
             "LC_")  # fmt: skip
# What says which tests are to run.
_KEPT = ("STACKTUI_AZ", "STACKTUI_COMPAT", "STACKTUI_EXHAUSTIVE", "STACKTUI_PACKAGING")


# The most characters of a parameter that stand in a test's name.
_LONG_NAME = 80


@pytest.fixture(scope="session", autouse=True)
def _any_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of this machine's, no `az` and no other client, and no answer of its resolver's
    where none may be.

    Before all else, so that what a module or the session shares is made without them too.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in tuple(os.environ):
            unwanted = name in _TRUST + _CLIENTS + _TERMINAL or name.lower() in _PROXIES
            if name not in _KEPT and (unwanted or name.startswith(_PREFIXES)):
                patch.delenv(name)
        time.tzset()
        patch.setenv("LANG", "C.UTF-8")
        patch.setenv("TERM", "xterm-256color")
        folders = os.environ.get("PATH", "").split(os.pathsep)
        without = [_without_clients(each, tmp_path_factory) for each in folders]
        patch.setenv("PATH", os.pathsep.join(without))
        patch.setattr(socket, "getaddrinfo", _without_invalid(socket.getaddrinfo))
        yield


def _without_clients(folder: str, factory: pytest.TempPathFactory) -> str:
    """The same programs less `az`, and less each Python with azure packages: what is said of them
    depends on the machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", folder)
        hidden = ("az", "python*") if find_environments() else ("az",)
    if not os.path.exists(os.path.join(folder, "az")) and len(hidden) == 1:
        return folder
    same = factory.mktemp("bin")
    for each in os.scandir(folder):
        if not any(fnmatch(each.name, pattern) for pattern in hidden):
            (same / each.name).symlink_to(each.path)
    return str(same)


def _without_invalid(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """RFC 6761: nothing under `.invalid` exists. Without a network no resolver says so."""

    def getaddrinfo(host: Any, *arguments: Any, **keywords: Any) -> Any:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        if name.rstrip(".").endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *arguments, **keywords)

    return getaddrinfo


hypothesis.settings.register_profile("draws", max_examples=draws(100))
hypothesis.settings.load_profile("draws")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a long parameter by its start: each process sends the names of all tests, and names of
    megabytes took seconds."""
    if isinstance(val, (str, bytes)) and len(val) > _LONG_NAME:
        return ascii(val[:_LONG_NAME])
    return None


# Until the tests are collected, whatever is made stays: to look for garbage finds none.
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of real terminals, which wait most: the last tests have to be short,
    or one process has them while the others have nothing left."""
    items.sort(key=lambda item: item.path.parts, reverse=True)
    asked = os.environ.get("STACKTUI_EXHAUSTIVE", "")
    for mark, value in (("exhaustive", "1"), ("every_failure", "all")):
        if asked in ("all", value):
            continue
        later = pytest.mark.skip(reason=f"takes long: set STACKTUI_EXHAUSTIVE={value} to run it")
        for item in items:
            if item.get_closest_marker(mark):
                item.add_marker(later)


def pytest_collection_finish() -> None:
    """Leave what stays out of the search for garbage: it took a tenth of all tests' time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


# Where bytecode is not kept, each process that a test starts compiles the whole product anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session", autouse=True)
def _keys_at_hand() -> Iterator[None]:
    """Keys for all stamps of this process, each with the certificate that it signs: of a stamp's
    start, 90 % are its two RSA keys.

    Four are enough that a stamp has no key of the one before it.
    """
    keys = cycle([runtime.make_key() for _ in range(4)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "make_key", lambda: next(keys))
        patch.setattr(runtime, "make_client_certificate", cache(runtime.make_client_certificate))
        yield


@cache
def _has_az() -> bool:
    """Whether an installer put an `az` on this machine."""
    return bool(launchers())


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of the test's own."""
    home = Path(tempfile.mkdtemp(prefix="stacktui-home-"))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    if _has_az():
        # What is said of this machine's own az is no part of a test: a shell would run this one.
        _write_az(home / "unknown")
        monkeypatch.setenv("PATH", f"{home / 'unknown'}{os.pathsep}{os.environ.get('PATH', '')}")
    yield
    shutil.rmtree(home, ignore_errors=True)


def _write_az(folder: Path) -> None:
    """One of no known form, of which nothing can be said."""
    folder.mkdir()
    (folder / "az").write_text("#!/bin/sh\nexit 1\n")
    (folder / "az").chmod(0o755)


@pytest.fixture(scope="session")
def _few_roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first of certifi's roots, in a file."""
    end = b"-----END CERTIFICATE-----\n"
    path = tmp_path_factory.mktemp("certifi") / "cacert.pem"
    path.write_bytes(b"".join(Path(certifi.where()).read_bytes()[:6000].rpartition(end)[:2]))
    return path


@pytest.fixture(autouse=True)
def _roots_at_hand(
    request: pytest.FixtureRequest, _few_roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few of certifi's roots for its hundred: to parse all takes most of a check's time.

    The processes that tests start have all of them, as do the tests of trust stores.
    """
    if not request.node.get_closest_marker("every_root"):
        monkeypatch.setattr(certifi, "where", lambda: str(_few_roots))


@pytest.fixture(scope="session")
def entra_stamp() -> Iterator[RunningStamp]:
    """A healthy stamp under Entra, every role on `localhost`; seven groups on pages of three."""
    with run_in_thread(StampOptions(groups=7, page_size=3)) as stamp:
        yield stamp


@pytest.fixture(scope="session")
def adfs_stamp() -> Iterator[RunningStamp]:
    """A healthy stamp under AD FS."""
    with run_in_thread(StampOptions(idp=IdentityProvider.ADFS, groups=2)) as stamp:
        yield stamp


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Of `-n auto`: more than the cores, since much of the tests' time is waited."""
    return (os.cpu_count() or 2) * 2
