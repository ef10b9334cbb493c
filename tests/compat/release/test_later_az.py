"""Releases of az after 2.66: which of them work with a stamp (PROTOCOL.md section 1)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.compat import az as real
from tests.compat.conftest import GROUPS, on_stamp, register
from tests.compat.own_venv import wanted
from tests.compat.test_az_export import ENDPOINTS, export, registered, sign_in_and_list
from tests.product import check_json, write_config

# The last that asks for metadata as a stamp gives it, and the first that does not.
LAST, FIRST_BROKEN, NEWEST = "2.72", "2.73", "2.91"
pytestmark = pytest.mark.skipif(
    not wanted(release=True),
    reason="set STACKTUI_COMPAT=release to have later releases of az installed (1.3 GB each)",
)


@pytest.mark.parametrize("idp", list(IdentityProvider))
def test_the_last_that_works(idp: IdentityProvider, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(idp=idp, groups=2)) as stamp:
        trusting = {"REQUESTS_CA_BUNDLE": stamp.ca_file}
        az = on_stamp(real.Az(real.install(LAST), tmp_path, trusting), stamp)
        az.ok(
            "login", "--service-principal", "-u", stamp.client_id, "-p", stamp.secret,
            "--tenant", stamp.tenant,
        )  # fmt: skip
        assert len(json.loads(az.ok("group", "list"))) == 2


@pytest.mark.parametrize("idp", list(IdentityProvider))
def test_the_last_that_works_uses_what_we_export(idp: IdentityProvider, tmp_path: Path) -> None:
    with run_in_thread(StampOptions(idp=idp, groups=GROUPS)) as stamp:
        trusting = {"REQUESTS_CA_BUNDLE": str(stamp.ca_file)}
        az = real.Az(real.install(LAST), tmp_path / "home", trusting)
        config = write_config(tmp_path, stamp.describe(), environment=ENDPOINTS)
        theirs = registered(real.Az(az.path, tmp_path / "other", trusting), stamp)
        export(az, config)
        assert (az.config / "clouds.config").read_bytes() == theirs
        sign_in_and_list(az, stamp)


@pytest.mark.parametrize("version", [FIRST_BROKEN, NEWEST])
def test_those_that_do_not_work(version: str, tmp_path: Path) -> None:
    """As the advisory says: it registers no stamp, and has none of a stamp's profiles."""
    with run_in_thread(StampOptions()) as stamp:
        trusting = {"REQUESTS_CA_BUNDLE": stamp.ca_file}
        az = real.Az(real.install(version), tmp_path, trusting)
        done = register(az, stamp)
        profile = az("cloud", "register", "-n", "X", "--profile", "2019-03-01-hybrid",
                     "--endpoint-resource-manager", stamp.arm_url)  # fmt: skip
    assert done.code != 0
    assert "list indices must be integers or slices, not str" in done.err
    assert profile.code != 0
    assert "2019-03-01-hybrid" in profile.err
    with run_in_thread(StampOptions()) as stamp:
        config = write_config(tmp_path, stamp.describe())
        path = os.pathsep.join([str(az.path.parent), os.environ["PATH"]])
        ran = check_json(config, PATH=path, AZURE_CONFIG_DIR=str(az.config))
    (found,) = [each for each in ran.document["also_seen"] if each["id"] == "az-too-new"]
    assert f"{version}." in found["title"]
