"""The forms of PowerShell, run and parsed by a real one where this machine has it."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from stacktui.exchange import alias_hosting
from stacktui.exchange.connection import Machine
from stacktui.exchange.forms import RENDERERS, Form
from stacktui.exchange.shells import Shell

from .connections import APP, EAST, IDENTITIES, SUBSCRIPTION, TENANT, connection

PWSH = shutil.which("pwsh")
pytestmark = pytest.mark.skipif(PWSH is None, reason="pwsh is not installed")
SECRET = "it's~8Q.\"$(Get-Date)`n%PATH%‘’\n\x1b"
PARSE = (
    "$errors = $null; $text = [Console]::In.ReadToEnd(); "
    "$null = [Management.Automation.Language.Parser]::ParseInput($text, [ref]$null, [ref]$errors); "
    "exit $errors.Count"
)


def pwsh(script: str, given: str = "") -> str:
    done = subprocess.run(
        [str(PWSH), "-NoProfile", "-NonInteractive", "-Command", script],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_has_the_variables() -> None:
    text = RENDERERS[Form.POWERSHELL](connection(EAST, IDENTITIES["secret"], SECRET))
    shown = "ConvertTo-Json @{a=$env:AZURE_CLIENT_SECRET; b=$env:AZURE_SUBSCRIPTION_ID; "
    found = json.loads(pwsh(f"{text}\n{shown}c=$env:AZURE_TENANT_ID; d=$env:AZURE_CLIENT_ID}}"))
    assert found == {"a": SECRET, "b": SUBSCRIPTION, "c": TENANT, "d": APP}


@pytest.mark.parametrize("form", [Form.POWERSHELL, Form.TERRAFORM, Form.AZ_COMMANDS,
                                  Form.AZ_POWERSHELL])  # fmt: skip
@pytest.mark.parametrize("kind", IDENTITIES)
def test_it_parses_every_form(form: Form, kind: str) -> None:
    machine = Machine(Shell.POWERSHELL)
    pwsh(PARSE, RENDERERS[form](connection(EAST, IDENTITIES[kind], machine=machine)))


def test_it_parses_the_commands_that_host_aliases() -> None:
    machine = Machine(Shell.POWERSHELL)
    pwsh(PARSE, alias_hosting.render(connection(EAST, machine=machine), r"C:\a b.json"))
