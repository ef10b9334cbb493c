"""Every kind of identity × every fault × every output: no secret is anywhere but at the stamp."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stacktui.identities import device_code
from stacktui.stamp import IdentityProvider, SignInKind, StampOptions, run_in_thread
from stacktui.stamp.faults import resources, sign_in
from stacktui.stamp.faults.model import Fault
from stacktui.stamp.running import RunningStamp
from tests.product import limited, stacktui
from tests.support.every_kind import KINDS, PFX_PASSWORD, WRONG, identity_of_kind
from tests.support.known_secrets import KnownSecrets, kept_files, watched_stamps

DOMAIN = "local.azurestack.external"
FORMS = (
    "env", "powershell", "cmd", "terraform", "az", "az-commands", "az-powershell", "sdk-python",
    "sdk-json", "environment-json", "toml",
)  # fmt: skip
CHECKS = tuple(("check", "--format", form) for form in ("text", "json", "markdown", "jsonl"))
OF_IDENTITIES = (
    ("test", "tester"), ("test", "tester", "--format", "json"), ("roles",), ("token",),
    ("show", "tester"), ("list",), ("show", "tester", "--format", "json"),
    ("list", "--format", "json"), ("roles", "--format", "json"),
)  # fmt: skip
REST = ("rest", "GET", "/subscriptions")
CHANGES = (
    ("groups", "create", "rg-new", "--location", "local", "--tag", "a=1", "--yes"),
    ("groups", "tag", "rg-web-prod-01", "--tag", "a=1", "--yes"),
    ("groups", "delete", "rg-web-prod-01", "--yes", "--no-wait"),
    ("operations", "list"),
)
COMMANDS = (
    *CHECKS,
    *(("identities", *words) for words in OF_IDENTITIES),
    ("groups", "list"),
    REST,
    *CHANGES,
    ("history",),
    ("environments", "show"),
    *(("environments", "export", "--yes", "--format", form) for form in FORMS),
)
# What has the evidence of a fault, each in words of its own.
OF_A_FAULT = (
    ("check", "--format", "json"), ("check", "--format", "markdown"),
    ("identities", "test", "tester"), ("identities", "token"),
)  # fmt: skip
OF_ARM = (*OF_A_FAULT, ("groups", "list"), REST, *CHANGES)
# A list waits before it tries again, as long as the answer says.
RETRIED = ("arm-throttled", "arm-unavailable")
# The kinds that run them all on each fault; the others run the first.
RUN_ALL = ("variable", "pfx", "user")
TALKING = frozenset(("check", "test", "roles", "token", "export", "groups", "rest", "operations"))
# Faults that never answer are ended by these.
QUICK = limited(first_byte=0.2, step=1)
# What no fault of the stamp does: to answer with all that it was sent, however encoded.
ECHOES = ("login echoes", "arm echoes")
FAULTS: dict[str | None, Fault | None] = {
    None: None, **dict.fromkeys(ECHOES), **sign_in.FAULTS, **resources.FAULTS,
}  # fmt: skip
SAMPLE = ((None, "user"), ("sp-secret-wrong", "pfx"), ("arm echoes", "variable"))
LONG = pytest.mark.exhaustive


@pytest.fixture(name="known")
def _known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KnownSecrets]:
    """Temporary files are in the test's folder, and searched with it."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(device_code, "_SHORTEST_INTERVAL", 0.01)
    with watched_stamps() as known:
        known.add(PFX_PASSWORD, WRONG)
        yield known


def search(
    stamp: RunningStamp,
    kind: str,
    commands: tuple[tuple[str, ...], ...],
    folder: Path,
    known: KnownSecrets,
    caplog: pytest.LogCaptureFixture,
) -> dict[str, list[str]]:
    """Return the secrets in each output of commands and in each file that they left."""
    identity, outputs, log = identity_of_kind(kind, stamp, folder), {}, folder / "requests.log"
    for words in commands:
        ours = ["--config", str(identity.config)]
        if TALKING & {*words}:
            ours += [*QUICK, "--log-requests", str(log)]
        ran = stacktui("--debug", *words, *ours, **identity.variables)
        assert ran.code in (0, 1, 2), (words, ran)
        if words[1:2] == ("token",):  # the one output that a token is meant for
            assert bool(known.found_in(ran.out)) == (ran.code == 0), ran
            ran = replace(ran, out="")
        outputs[" ".join(words)] = ran.out + ran.err
    known.add_stamp(stamp)
    outputs["log"] = caplog.text
    folders = (folder, folder.parent / "temporary", Path.home())
    for path, content in kept_files(*folders, but=identity.secret_files):
        outputs[str(path)] = content
    assert log.read_text().startswith("# stacktui")
    return {name: found for name, text in outputs.items() if (found := known.found_in(text))}


def kinds_of(fault: str | None) -> list[str]:
    """The kinds that can meet a fault; ARM does not ask by what a token was got."""
    found = FAULTS[fault]
    if found is None:
        return list(KINDS)
    if fault in resources.FAULTS:
        return ["variable", "pfx", "user", "device-code", "azure-cli"]
    own = found.sign_in_kind
    return [kind for kind in KINDS if own is KINDS[kind] or own is SignInKind.SECRET]


def commands_for(fault: str | None, kind: str) -> tuple[tuple[str, ...], ...]:
    if fault is None:
        return COMMANDS
    of_arm = fault in resources.FAULTS or fault.startswith("arm")
    commands = OF_ARM if of_arm and fault not in RETRIED else OF_A_FAULT
    return commands if kind in RUN_ALL or fault in ECHOES else commands[:1]


# Each fault at one provider; at the other in .ci/compat.
CASES = [
    pytest.param(
        fault, idp, id=f"{fault}-{idp.value}",
        marks=() if idp is ((found and found.only_idp) or IdentityProvider.AAD)
        else pytest.mark.every_failure,
    )
    for fault, found in FAULTS.items()
    for idp in IdentityProvider
    if not found or found.only_idp in (None, idp)
]  # fmt: skip


@LONG
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("fault", "idp"), CASES)
def test_no_kind_shows_a_secret_whatever_goes_wrong(
    fault: str | None,
    idp: IdentityProvider,
    known: KnownSecrets,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    look(fault, idp, kinds_of(fault), known, tmp_path, caplog)


@pytest.mark.parametrize(("fault", "kind"), SAMPLE)
def test_no_secret_is_shown(
    fault: str | None,
    kind: str,
    known: KnownSecrets,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    look(fault, IdentityProvider.AAD, [kind], known, tmp_path, caplog)


def look(
    fault: str | None,
    idp: IdentityProvider,
    kinds: list[str],
    known: KnownSecrets,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    known.echoing = str(fault).partition(" echoes")[0] if fault in ECHOES else ""
    options = StampOptions(
        idp=idp,
        fault=None if fault in ECHOES else fault,
        domain=DOMAIN,
        groups=3,
        device_interval=0,
        device_approve_after=1,
    )
    with run_in_thread(options) as stamp:
        for kind in kinds:
            caplog.clear()
            (folder / kind).mkdir()
            commands = commands_for(fault, kind)
            assert search(stamp, kind, commands, folder / kind, known, caplog) == {}, (kind, fault)
        login, arm = (urlsplit(url).hostname for url in (stamp.login_url, stamp.arm_url))
    for each in known.received:
        assert not each.bearer or each.host == arm, each
        assert not each.secrets or (each.host == login and "/oauth2/" in each.path), each


# Where an error of our own is raised, from when the secret is known to the result.
PLACES = (
    "stacktui.transport.connections.Connections._ask",
    "stacktui.identities.sign_in.scopes_of",
    "stacktui.identities.sign_in.parse_token",
    "stacktui.resources.client.ArmClient._parsed_page",
    "stacktui.diagnosis.diagnose",
    "stacktui.cli.check_output.result_summary",
)


@pytest.mark.parametrize(
    "kind", ["variable", pytest.param("pfx", marks=LONG), pytest.param("user", marks=LONG)]
)
def test_no_secret_is_in_a_crash(kind: str, known: KnownSecrets, tmp_path: Path) -> None:
    """The error, its note, its cause and the locals of its frames have all that passed so far."""
    with run_in_thread(StampOptions(domain=DOMAIN, groups=1)) as stamp:
        identity = identity_of_kind(kind, stamp, tmp_path)
        own = {"variable": stamp.secret, "pfx": PFX_PASSWORD, "user": stamp.password}[kind]
        for place in PLACES:
            known.values = {own}

            def crash(*given: object, **named: object) -> object:
                seen = " ".join(known.values)
                error = ZeroDivisionError(seen)
                error.add_note("\n".join(known.values))
                raise error from KeyError(f"{given} {named} {seen}")

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(place, crash)
                ran = stacktui(
                    "--debug", "check", "--config", identity.config, **identity.variables
                )
            assert ran.code == 3, (place, ran)
            (written,) = (tmp_path / "temporary").glob("stacktui-error-*")
            text = written.read_text(encoding="utf-8")
            written.unlink()
            assert "in crash" in text
            assert not known.found_in(ran.out + ran.err + text), place
