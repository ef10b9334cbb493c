"""Fixtures of the compatibility tests, which run real third-party clients against the stamp."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp

from . import az as real
from .proxy import pinning_proxy

CLOUD = "EmbeddedStamp"
PROFILE = "2020-09-01-hybrid"
INSTALL_SECONDS = 900
PAGE_SIZE = 3
GROUPS = 7
DOMAIN = "local.azurestack.external"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark this folder's tests; the first may have to wait for the installation of `az`."""
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.compat)
            item.add_marker(pytest.mark.timeout(INSTALL_SECONDS))


@pytest.fixture(scope="session")
def az_path() -> Path:
    """The real `az`; without one, skips and says how to enable these tests."""
    path = real.find()
    if path is None:
        pytest.skip(real.TURN_ON)
    return path


@pytest.fixture(scope="module", params=list(IdentityProvider))
def stamp(request: pytest.FixtureRequest, az_path: Path) -> Iterator[RunningStamp]:
    """A healthy stamp, as Entra and as AD FS, every role on localhost."""
    options = StampOptions(idp=request.param, groups=GROUPS, page_size=PAGE_SIZE, device_interval=1)
    with run_in_thread(options) as running:
        yield running


def register(az: real.Az, stamp: RunningStamp, *options: str) -> real.Done:
    """Run `az cloud register` as documented."""
    suffix = DOMAIN
    return az(
        "cloud", "register", "-n", CLOUD, "--endpoint-resource-manager", stamp.arm_url,
        "--suffix-storage-endpoint", suffix, "--suffix-keyvault-dns", f".vault.{suffix}",
        *options,
    )  # fmt: skip


def on_stamp(az: real.Az, stamp: RunningStamp) -> real.Az:
    """Connect `az` to the stamp by one command in place of the three of `connect`."""
    done = register(az, stamp, "--profile", PROFILE)
    assert done.code == 0, done.err
    return real.Az(az.path, az.folder, {**az.extra, "AZURE_CLOUD_NAME": CLOUD})


def connect(az: real.Az, stamp: RunningStamp) -> real.Az:
    """Register, select and set the profile, as documented; return the same `az`."""
    done = register(az, stamp)
    assert done.code == 0, done.err
    az.ok("cloud", "set", "-n", CLOUD)
    az.ok("cloud", "update", "--profile", PROFILE)
    return az


@pytest.fixture(scope="module")
def connected(
    az_path: Path, stamp: RunningStamp, tmp_path_factory: pytest.TempPathFactory
) -> real.Az:
    """An `az` on the stamp, not signed in."""
    folder = tmp_path_factory.mktemp("connected")
    az = real.Az(az_path, folder, {"REQUESTS_CA_BUNDLE": stamp.ca_file})
    return connect(az, stamp)


@pytest.fixture
def az(connected: real.Az, tmp_path: Path) -> real.Az:
    """A copy of the connected `az` without tokens."""
    return connected.copy(tmp_path / "home")


@pytest.fixture
def named_stamp(az_path: Path) -> Iterator[tuple[RunningStamp, dict[str, str]]]:
    """An Entra stamp under real names, and the variables by which `az` reaches it.

    MSAL asks for a user's realm at the login host's name without its port, so that a password
    sign-in on Entra needs a login host on 443.
    """
    with (
        run_in_thread(StampOptions(domain=DOMAIN, groups=GROUPS, page_size=PAGE_SIZE)) as stamp,
        pinning_proxy(stamp.resolve) as proxy,
    ):
        yield stamp, {"REQUESTS_CA_BUNDLE": stamp.ca_file, "HTTPS_PROXY": proxy}
