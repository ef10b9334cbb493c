"""The output of a real az for a fault, piped into `stacktui explain`, which names the fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacktui.stamp import StampOptions, run_in_thread

from .az import Az
from .conftest import register


@pytest.mark.parametrize(
    ("fault", "best"),
    [
        # One of each kind; what az said of the others is in tests/diagnosis/az_said.json.
        ("tls-untrusted-root", True),
        # az says the same of this one as of the one above.
        ("tls-intercepted", False),
        ("trust-file-bad", True),
    ],
)
def test_what_az_says_of_a_fault_is_explained(
    az_path: Path, tmp_path: Path, fault: str, best: bool
) -> None:
    with run_in_thread(StampOptions(fault=fault)) as stamp:
        said = register(Az(az_path, tmp_path, {"REQUESTS_CA_BUNDLE": stamp.ca_file}), stamp)
    assert said.code == 1
    done = subprocess.run(
        [sys.executable, "-m", "stacktui", "explain", "-", "--format", "json"],
        env=dict(os.environ),
        input=said.err,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = [each["id"] for each in json.loads(done.stdout)["entries"]]
    assert fault in found
    assert (found[0] == fault) is best
