"""The README's walk through the vendor's documents: each of its commands is run, in its order."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.main import cli
from stacktui.config.locations import config_file
from stacktui.stamp import Cloud, IdentityProvider, StampOptions, run_in_thread
from tests.diagnosis.readme import README
from tests.product import imds_of, stacktui, write_config

TITLE = "## For those who come from the documents\n"
# The third one is of public Azure.
MANAGED = "*Use a user-assigned managed identity"
SHOWN = "https://management.local.azurestack.external"
# Of the images that the stamp's document names, one is not there.
FAULTS = ("environments aliases AzureStackUser --check",)


def commands(*, managed: bool = False) -> list[str]:
    _, _, rest = README.read_text(encoding="utf-8").partition(TITLE)
    of_stamps, _, of_azure = rest.partition("\n## ")[0].partition(MANAGED)
    text = of_azure if managed else of_stamps
    return re.findall(r"(?:^|`)stacktui ([^`\n]+)", text, re.MULTILINE)


def asks(words: list[str]) -> bool:
    """Whether a command has questions that `--yes` answers."""
    context, command = click.Context(cli), cli
    while isinstance(command, LazyGroup):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    return any(each.name == "yes" for each in command.params)


@pytest.mark.parametrize("idp", IdentityProvider)
def test_the_walk(idp: IdentityProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with run_in_thread(StampOptions(idp=idp, groups=3)) as stamp:
        shutil.copy(stamp.ca_file, "root.pem")
        shutil.copy(stamp.ca_file, "store.pem")
        pfx = ["openssl", "pkcs12", "-export", "-in", stamp.certificate_file, "-out", "sp.pfx"]
        subprocess.run([*pfx, "-passout", "pass:"], check=True, capture_output=True)
        values = {
            SHOWN: stamp.arm_url,
            "vm_image_aliases=URL": f"vm_image_aliases={stamp.vm_image_aliases}",
            "NAME": stamp.subscription_id,
            "PATH": "store.pem",
            "FILE": "sample.json",
        }
        lines = commands()
        assert len(lines) > 25
        for line in lines:
            words = [values.get(word, word) for word in shlex.split(line)]
            if "--presented" in words:  # asks a person
                continue
            ran = stacktui(*words, *(["--yes"] if asks(list(words)) else []))
            assert ran.code == (line in FAULTS), (line, ran.out, ran.err)
            if words[:2] == ["environments", "add"]:
                config = config_file()
                sign_in = (
                    f'identity = "ops"\n[identities.ops]\nkind = "service-principal"\n'
                    f'tenant = "{stamp.tenant}"\nclient_id = "{stamp.client_id}"\n'
                    f'secret = {{ file = "{stamp.secret_file}" }}\n'
                )
                config.write_text(f"{config.read_text(encoding='utf-8')}{sign_in}")
            if "sdk-json" in words:  # with the secret, as somebody else's has it
                Path("sample.json").write_text(stacktui(*words, "--with-secrets").out)


def test_the_walk_of_a_managed_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = StampOptions(cloud=Cloud.PUBLIC, groups=1, retry_after=0)
    values = {"DevTest": "rg-identity", "vm-app": "vm-ops"}
    with run_in_thread(options) as stamp:
        variables = imds_of(stamp.describe())
        config = write_config(tmp_path, stamp.describe(), environment='profile = "latest"')
        lines = commands(managed=True)
        assert len(lines) == 5
        for line in lines:
            words = [values.get(word, word) for word in shlex.split(line)]
            yes = ["--yes"] if asks(list(words)) else []
            ran = stacktui(*words, *yes, "--config", config, **variables)
            assert ran.code == 0, (line, ran.out, ran.err)
        assert [each.split()[2] for each in ran.out.splitlines() if each[0] in "✓✗–"] == [
            "already", "already", "already", "ok",
        ]  # fmt: skip
