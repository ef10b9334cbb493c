"""Somebody who reads the device code that az prints, and signs in with it on its page."""

from __future__ import annotations

import re
import ssl
import subprocess

import httpx

from stacktui.stamp.running import RunningStamp


def approve(process: subprocess.Popen[str], stamp: RunningStamp) -> None:
    """Read page and code from az's message on standard error, and sign the stamp's user in."""
    page, code = _read(process)
    assert page == stamp.device_login_url
    form = {"user_code": code, "username": stamp.user, "password": stamp.password}
    context = ssl.create_default_context(cafile=stamp.ca_file)
    with httpx.Client(verify=context, trust_env=False) as browser:
        assert browser.get(page).status_code == 200
        assert browser.post(page, data=form).status_code == 200


def _read(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert process.stderr is not None
    for line in process.stderr:
        match = re.search(r"open the page (\S+) and enter the code (\S+) to", line)
        if match:
            return match[1], match[2]
    raise AssertionError("az ended without asking for a device code")
