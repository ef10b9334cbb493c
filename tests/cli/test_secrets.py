"""No secret in any output, whatever goes wrong; each drill is read for them in `test_drills`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from stacktui.check.steps import resource_groups as step
from stacktui.config.error_file import describe_error
from stacktui.identities import sign_in
from stacktui.identities.model import SecretRef
from stacktui.identities.secrets import resolve_secret
from stacktui.resources.client import ArmClient
from stacktui.stamp import StampOptions, run_in_thread
from tests.diagnosis.servers import CLIENT_ID, SUBSCRIPTION, Script, arm_error, said, scripted
from tests.product import stacktui, write_config
from tests.support.authority import authority
from tests.support.web import Asked, Raw

DOMAIN = "local.azurestack.external"


def test_the_secret_is_in_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret by variable, with an internal error that quotes it: neither the one line nor the
    file of `--debug` has it, and both name the place."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with run_in_thread(StampOptions(domain=DOMAIN)) as stamp:

        async def _broken(_client: ArmClient, _subscription: str) -> None:
            secret_of_this_frame = stamp.secret
            raise ZeroDivisionError(f"{secret_of_this_frame} divided by {stamp.secret}")

        config = write_config(tmp_path, stamp.describe(), secret='{ env = "SP_SECRET" }')
        healthy = stacktui("check", "--config", str(config), SP_SECRET=stamp.secret)
        monkeypatch.setattr(step, "resource_groups", _broken)
        broken = stacktui("check", "--config", config, SP_SECRET=stamp.secret)
        debugged = [
            stacktui("--debug", "check", "--config", config, SP_SECRET=stamp.secret),
            stacktui("check", "--config", config, SP_SECRET=stamp.secret, STACKTUI_DEBUG="1"),
        ]
    assert healthy.code == 0
    for ran in (broken, *debugged):
        assert ran.code == 3
        assert ran.err.startswith("stacktui: internal error: ZeroDivisionError at test_secrets.py:")
        assert ran.err.count("\n") == 1
    assert "STACKTUI_DEBUG=1 writes its traceback to a file" in broken.err
    assert stamp.secret not in healthy.out + healthy.err + broken.out + broken.err
    for ran in debugged:
        (path,) = re.findall(r"; traceback: (\S+);", ran.err)
        written = Path(path)
        assert os.name == "nt" or written.stat().st_mode & 0o777 == 0o600
        traceback = written.read_text(encoding="utf-8")
        assert "in _broken" in traceback
        assert "ZeroDivisionError: " in traceback
        assert stamp.secret not in traceback + ran.err
    assert len(list(tmp_path.glob("stacktui-error-*"))) == len(debugged)


def test_a_traceback_that_cannot_be_written_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    monkeypatch.setenv("STACKTUI_DEBUG", "1")
    told = describe_error(LookupError("hunter2"))
    assert told == (
        "internal error: LookupError; its traceback could not be written (No such file or "
        "directory); please report it"
    )


@dataclass
class Echoing(Script):
    """A stamp that has got to know the secret, and tells it in its metadata, or in a refusal."""

    secret: str = ""
    by: str = "audience"

    def answer(self, asked: Asked) -> Raw:
        login = f"https://{asked.headers['host']}"
        if self.by == "login":
            login += f"/{quote(self.secret, safe='')}"
        if asked.target.startswith("/metadata/endpoints"):
            if self.by == "refusal":
                return arm_error("403 No", self.secret, f"no {self.secret} here")
            audience = self.secret if self.by == "audience" else "https://arm/1"
            return said(
                {"authentication": {"loginEndpoint": f"{login}/adfs", "audiences": [audience]}}
            )
        return super().answer(asked)


@pytest.mark.parametrize("late", [False, True], ids=["at-once", "late"])
@pytest.mark.parametrize("by", ["audience", "login", "refusal"])
@pytest.mark.parametrize("secret", ["s3cret~of.ours-123", "s3cret/of?ours+100%=~&<#"])
async def test_a_secret_that_metadata_echoes_is_shown_nowhere(
    secret: str, by: str, late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the secret takes to be read: nobody is asked before it is known."""
    config, variables = tmp_path / "config.toml", {"SP_SECRET": secret}
    (tmp_path / "ca.pem").write_bytes(authority().root.pem)
    if late:
        monkeypatch.setattr(sign_in, "resolve_secret", _late)
    async with scripted(Echoing(secret=secret, by=by)) as web:
        config.write_text(
            f'[environments.Test]\narm = "{web.url}"\nca = "ca.pem"\nidentity = "sp"\n'
            f'subscription = "{SUBSCRIPTION}"\nproxy = "none"\n[identities.sp]\n'
            f'kind = "service-principal"\nclient_id = "{CLIENT_ID}"\ntenant = "t"\n'
            'secret = { env = "SP_SECRET" }\n'
        )
        for form in ("json", "text"):
            arguments = ("check", "--config", str(config), "--format", form)
            ran = await asyncio.to_thread(stacktui, *arguments, **variables)
            assert ran.code in (0, 1), ran
            assert ran.err == ""
            for each in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], secret[:8]}:
                assert each not in ran.out
            if form == "json":
                step = ran.document["steps"][0]
                assert step["outcome"] == ("failed" if by == "refusal" else "ok")
                assert step["evidence"]["exchanges"]
                assert re.search(r"\[redacted\]|\[held back", ran.out)
        assert web.asked


def _late(reference: SecretRef) -> str:
    """A secret that takes longer to be read than metadata to come."""
    time.sleep(0.3)
    return resolve_secret(reference)
