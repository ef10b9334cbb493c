"""The embedded stamp's faults, and the verdict that a real check process gives on each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stacktui.stamp import IdentityProvider, StampOptions, run_in_thread
from tests.product import Ran, check_json, write_config

DOMAIN = "local.azurestack.external"
ENTRA, ADFS = IdentityProvider.AAD, IdentityProvider.ADFS


def drill(
    fault: str,
    folder: Path,
    idp: IdentityProvider,
    *options: str,
    certificate: bool = False,
    **replaced: str,
) -> Ran:
    """The check of a stamp with this fault, by secret or by certificate."""
    with run_in_thread(StampOptions(fault=fault, idp=idp, domain=DOMAIN)) as stamp:
        described = stamp.describe()
        if certificate:
            replaced |= {"secret": "", "certificate": f'"{described["certificate_file"]}"'}
        return check_json(write_config(folder, described, **replaced), *options)


def verdict_of(ran: Ran, step: str) -> dict[str, Any]:
    """The verdict of a check that failed in `step`, whole as every verdict must be."""
    assert (ran.code, ran.err) == (1, "")
    document = ran.document
    assert [each["name"] for each in document["steps"] if each["outcome"] == "failed"] == [step]
    verdict: dict[str, Any] = document["verdict"]
    assert verdict["title"]
    assert verdict["evidence"]
    assert verdict["remedies"]
    assert verdict["az_says"]
    assert document["also_seen"] == []
    return verdict
