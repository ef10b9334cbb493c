"""Every drill as `stacktui demo --check --fault ID` shows it: its own name, and nothing secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from stacktui import stamp as stamps
from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.stamp import FAULTS, IdentityProvider, SignInKind, StampOptions
from stacktui.stamp.running import RunningStamp
from tests.diagnosis import golden
from tests.diagnosis.schema import validate
from tests.product import Ran, limited, stacktui

# What fails no check: a stamp whose clock is wrong accepts the tokens that it made itself.
HARMLESS = {fault for fault in FAULTS if fault.startswith("cert-")}
HARMLESS |= {"clock-skew", "operator-health", "secret-file-open"}
# What is waited for, by the limit that ends the wait.
SLOW = {
    "tcp-timeout": limited(connect=0.5),
    "tls-timeout": limited(tls=0.5),
    "metadata-timeout": limited(first_byte=0.7),
    "login-timeout": limited(first_byte=0.7),
    "arm-timeout": limited(first_byte=0.7),
    "imds-unavailable": limited(step=2),
}
# A token in compact form; nothing that the product prints may look like one.
TOKEN = re.compile(r"eyJ[\w-]{8,}")
DRILLS = [
    (fault, idp)
    for fault, drill in FAULTS.items()
    for idp in IdentityProvider
    if drill.only_idp in (None, idp)
]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the stamps that demos start know in secret; their device codes are polled for every
    second."""
    seen: list[str] = []
    run_in_thread = stamps.run_in_thread

    @contextmanager
    def watched(options: StampOptions) -> Iterator[RunningStamp]:
        with run_in_thread(replace(options, device_interval=1)) as stamp:
            seen.extend((stamp.secret, stamp.password))
            # A drill may hand out another secret than the directory knows.
            handed = Path(stamp.secret_file)
            seen.extend([handed.read_text(encoding="utf-8")] if handed.exists() else [])
            yield stamp

    monkeypatch.setattr(stamps, "run_in_thread", watched)
    return seen


def usual(fault: str) -> IdentityProvider:
    """Who signs users in where the command does not say."""
    return FAULTS[fault].only_idp or IdentityProvider.ADFS


def drilled(fault: str, idp: IdentityProvider, form: str) -> Ran:
    options = ("--idp", idp.value, "--fault", fault, "--format", form, *SLOW.get(fault, ()))
    return stacktui("demo", "--check", *options)


@pytest.mark.parametrize(("fault", "idp"), DRILLS)
def test_a_drill(
    fault: str, idp: IdentityProvider, secrets: list[str], snapshot: SnapshotAssertion
) -> None:
    """A fault is named by its own id; one that no rule knows is never dressed up as another."""
    ran = drilled(fault, idp, "json")
    document = ran.document
    validate(document)
    if fault in HARMLESS:
        assert (ran.code, document["verdict"]) == (0, None)
    else:
        assert (ran.code, document["ok"]) == (1, False)
        assert document["verdict"]["id"] == (fault if fault in EVERY_FAULT else "unexplained")
        assert document["verdict"]["evidence"]
        remedies = document["verdict"]["remedies"]
        # What nothing mends here is for another person, to whom the report is sent.
        if not any(each["bash"] or each["action"] for each in remedies):
            assert document["verdict"]["side"] != "box"
    # Beside the last line, a code to type goes to stderr, and nothing else.
    *prompts, last = ran.err.splitlines()
    assert f"stacktui demo --fault {fault}" in last
    assert len(prompts) == (FAULTS[fault].sign_in_kind is SignInKind.DEVICE_CODE), ran.err
    # A reset is met while connecting or after it, as it comes.
    if idp is usual(fault) and fault != "tcp-reset":
        assert golden.summary(ran.code, document) == snapshot
    assert_nothing_secret(ran, secrets)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_drill_in_words(fault: str, secrets: list[str]) -> None:
    ran = drilled(fault, usual(fault), "text")
    if fault not in HARMLESS:
        assert ran.code == 1
        assert f"✗ {fault if fault in EVERY_FAULT else 'unexplained'} · side: " in ran.out
    assert_nothing_secret(ran, secrets)


def assert_nothing_secret(ran: Ran, secrets: list[str]) -> None:
    assert secrets
    for text in (ran.out, ran.err):
        assert not [each for each in secrets if each in text]
        assert not TOKEN.search(text)
        assert "PRIVATE KEY" not in text
