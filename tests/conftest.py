"""What every test can rely on: none of this machine's settings, homes or trust stores."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.certificates.azure_launchers import launchers
from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp

# Variables that change what is trusted, how hosts are reached, or which files are read.
_TRUST = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_PREFIXES = ("STACKTUI_", "XDG_", "AZURE_", "ADAL_", "ARM_", "MSAL_")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of the test's own, and no setting of this machine's."""
    for name in tuple(os.environ):
        unwanted = name in _TRUST or name.lower() in _PROXIES or name.startswith(_PREFIXES)
        if unwanted:
            monkeypatch.delenv(name)
    home = Path(tempfile.mkdtemp(prefix="stacktui-home-"))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    if launchers():
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
def entra_stamp() -> Iterator[RunningStamp]:
    """A healthy stamp under Entra, every role on `localhost`; seven groups on pages of three."""
    with run_in_thread(StampOptions(groups=7, page_size=3)) as stamp:
        yield stamp


@pytest.fixture(scope="session")
def adfs_stamp() -> Iterator[RunningStamp]:
    """A healthy stamp under AD FS."""
    with run_in_thread(StampOptions(idp=IdentityProvider.ADFS, groups=2)) as stamp:
        yield stamp


def pytest_xdist_auto_num_workers() -> int:
    """Of `-n auto`: more than the cores, since a third of the tests' time is waited for bounds."""
    return (os.cpu_count() or 2) * 3 // 2
