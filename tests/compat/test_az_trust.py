"""A root in az's own certifi: without it az fails, with it az registers, taken back az fails."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.product import stacktui

from . import az as real
from .conftest import register

FAILS = "Unable to get endpoints from the cloud"


def copy_of_certifi(az: Path, folder: Path) -> Path:
    """A copy of az's certifi, which comes first on its path; az's own stays untouched."""
    where = "import certifi, pathlib; print(pathlib.Path(certifi.__file__).parent)"
    python = az.parent / "python"
    found = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
    shutil.copytree(found.stdout.strip(), folder / "certifi")
    return folder / "certifi" / "cacert.pem"


@pytest.mark.parametrize("idp", IdentityProvider)
def test_az_follows_its_certifi(az_path: Path, idp: IdentityProvider, tmp_path: Path) -> None:
    store = copy_of_certifi(az_path, tmp_path / "path")
    before = store.read_bytes()
    with run_in_thread(StampOptions(idp=idp)) as stamp:

        def az(name: str) -> real.Done:
            variables = {"PYTHONPATH": str(tmp_path / "path")}
            return register(real.Az(az_path, tmp_path / name, variables), stamp)

        unknown = az("before")
        assert unknown.code != 0
        assert FAILS in unknown.err
        assert "CERTIFICATE_VERIFY_FAILED" in unknown.err

        trusted = stacktui(
            "certificates", "trust", stamp.ca_file, "--store", str(store), "--yes",
            "--format", "json",
        )  # fmt: skip
        assert trusted.code == 0, trusted.err
        assert store.read_bytes().startswith(before)
        known = az("with")
        assert known.code == 0, known.err

        taken = stacktui("certificates", "untrust", stamp.ca_file, "--store", str(store), "--yes")
        assert taken.code == 0, taken.err
        assert store.read_bytes() == before
        again = az("after")
        assert again.code != 0
        assert "CERTIFICATE_VERIFY_FAILED" in again.err


def test_az_takes_the_exported_bundle(az_path: Path, tmp_path: Path) -> None:
    """The way that needs no root: our own bundle, exported, named by REQUESTS_CA_BUNDLE."""
    bundle = tmp_path / "bundle.pem"
    with run_in_thread(StampOptions()) as stamp:
        assert stacktui("certificates", "trust", stamp.ca_file, "--yes").code == 0
        done = stacktui("certificates", "export", str(bundle), "--yes", "--format", "json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["path"] == str(bundle)
        az = real.Az(az_path, tmp_path / "home", {"REQUESTS_CA_BUNDLE": str(bundle)})
        registered = register(az, stamp)
        assert registered.code == 0, registered.err


def test_the_matrix_says_beforehand_what_az_will_do(az_path: Path, tmp_path: Path) -> None:
    """`az` is found by its launcher, and its store judged as az itself then behaves."""
    with run_in_thread(StampOptions()) as stamp:
        config = tmp_path / "config.toml"
        config.write_text(f'[environments.Test]\narm = "{stamp.arm_url}"\nproxy = "none"\n')
        done = stacktui(
            "certificates", "matrix", "Test", "--config", str(config), "--format", "json",
            PATH=f"{az_path.parent}:/usr/bin:/bin",
        )  # fmt: skip
    document = done.document
    (column,) = [
        number for number, store in enumerate(document["stores"])
        if store["kind"] == "az" and Path(store["files"][0]["path"]).is_relative_to(
            az_path.parent.parent.resolve())
    ]  # fmt: skip
    assert document["stores"][column]["name"].startswith(f"az {real.VERSION}")
    verdict = document["endpoints"][0]["verdicts"][column]
    assert (verdict["trusted"], verdict["code"]) == (False, 20)
