"""No secret and no token in any output, ever: everything is run with known secrets and read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stacktui.stamp import FAULTS, IdentityProvider, StampOptions, run_in_thread
from tests.product import stacktui, write_config

DOMAIN = "local.azurestack.external"
# A token in compact form; nothing that the product prints may look like one.
TOKEN = re.compile(r"eyJ[\w-]{8,}")
SLOW = {"metadata-timeout", "arm-timeout", "tls-timeout"}


@pytest.mark.parametrize("fault", [None, *sorted(set(FAULTS) - SLOW)])
def test_no_output_holds_a_secret(fault: str | None, tmp_path: Path) -> None:
    idp = IdentityProvider.ADFS if len(fault or "") % 2 else IdentityProvider.AAD
    with run_in_thread(StampOptions(fault=fault, idp=idp, domain=DOMAIN)) as stamp:
        config = write_config(tmp_path, stamp.describe())
        secret = Path(stamp.secret_file)
        known = {stamp.secret, stamp.password}
        if secret.exists():
            known.add(secret.read_text(encoding="utf-8"))
        for form in ("text", "json"):
            ran = stacktui("check", "--config", str(config), "--format", form)
            assert ran.code in (0, 1), ran.err
            for text in (ran.out, ran.err):
                assert not [each for each in known if each in text]
                assert not TOKEN.search(text)
                assert "PRIVATE KEY" not in text


def test_the_secret_is_in_no_argument_list_or_traceback(tmp_path: Path) -> None:
    """A secret by variable, with a defect of our own provoked: the one line tells no value."""
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:
        config = write_config(tmp_path, stamp.describe(), secret='{ env = "SP_SECRET" }')
        healthy = stacktui("check", "--config", str(config), SP_SECRET=stamp.secret)
        broken = stacktui(
            "check", "--config", str(config), SP_SECRET=stamp.secret, PYTHONPATH=_broken(tmp_path)
        )
    assert healthy.code == 0
    assert broken.code == 3
    assert broken.err.startswith("stacktui: an error of our own: ZeroDivisionError at ")
    assert broken.err.count("\n") == 1
    assert stamp.secret not in healthy.out + healthy.err + broken.out + broken.err


def _broken(folder: Path) -> str:
    """A folder whose sitecustomize makes the last step of every check divide by zero."""
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import stacktui.resources.client as client\n"
        "async def broken(self, subscription): return 1 / 0\n"
        "client.ArmClient.resource_groups = broken\n",
        encoding="utf-8",
    )
    return str(site)
