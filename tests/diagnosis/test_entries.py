"""The entries of the catalogue: whole, true to the rules, and usable as they are written."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import Any

import click
import pytest

from stacktui.cli.main import cli
from stacktui.diagnosis import login_host
from stacktui.diagnosis.catalogue.advised import ADVISED
from stacktui.diagnosis.catalogue.precedence import CONNECTION, RULES
from stacktui.diagnosis.catalogue.unexplained import UNEXPLAINED
from stacktui.diagnosis.context import Rule
from stacktui.diagnosis.entries import ALL, ENTRIES, Entry, Group, look_alikes
from stacktui.diagnosis.fault import FaultInfo
from stacktui.diagnosis.finding import Side
from tests.diagnosis.readme import README, printed, section

# Every id that has been published; none of them may go, or change its group.
PUBLIC = {
    Group.REACH: (
        "dns-not-found dns-timeout tcp-refused tcp-timeout tcp-reset proxy-unreachable "
        "proxy-auth-required proxy-refused"
    ),
    Group.TLS: (
        "tls-not-tls tls-untrusted-root tls-missing-intermediate tls-self-signed tls-intercepted "
        "tls-expired tls-not-yet-valid tls-name-mismatch tls-weak tls-timeout trust-file-missing "
        "trust-file-bad"
    ),
    Group.METADATA: (
        "metadata-wrong-url metadata-server-error metadata-unavailable metadata-intercepted "
        "metadata-not-json metadata-incomplete metadata-too-large metadata-timeout "
        "metadata-api-version metadata-drift record-unreadable "
        "login-endpoint-insecure audience-foreign"
    ),
    Group.TOKEN: (
        "login-unreachable login-server-error login-not-json login-foreign-endpoint "
        "token-too-large secret-missing sp-secret-wrong "
        "sp-secret-expired sp-cert-unusable sp-cert-rejected app-not-found tenant-not-found "
        "audience-unknown adfs-client-not-allowed password-wrong account-locked account-disabled "
        "password-expired mfa-required conditional-access consent-required device-code-expired "
        "device-code-declined login-throttled imds-unreachable imds-no-identity imds-unavailable "
        "token-audience-mismatch token-expired-on-arrival clock-skew"
    ),
    Group.RESOURCES: (
        "arm-unauthorized arm-forbidden no-subscriptions subscription-not-found "
        "subscription-disabled api-version-unsupported arm-throttled arm-server-error "
        "arm-unavailable arm-not-json arm-reset arm-timeout paging-loop paging-foreign-host"
    ),
    Group.BESIDE: (
        "cert-expires-soon cert-readiness verification-off az-too-new az-config-broken "
        "az-stale-error-cache certifi-addition-lost"
    ),
    Group.OTHER: "unexplained",
}


def sides_of(rule: Rule[Any] | FaultInfo) -> tuple[Side, ...]:
    return rule.sides if isinstance(rule, FaultInfo) else (rule.side,)


def sides_of_rules() -> dict[str, set[Side]]:
    """On whose sides each id can be found."""
    sides: dict[str, set[Side]] = {UNEXPLAINED.id: set(Side)}
    # The login host's is on the side of the fault that it names.
    sides[login_host.ID] = {side for each in CONNECTION for side in sides_of(each)}
    for rule in (*RULES, *ADVISED):
        sides.setdefault(rule.id, set()).update(sides_of(rule))
    return sides


def test_every_published_id_has_its_entry() -> None:
    for group, ids in PUBLIC.items():
        for id_ in ids.split():
            assert ENTRIES[id_].group is group, id_


def test_an_id_has_one_entry() -> None:
    assert len(ALL) == len(ENTRIES)


def test_every_rule_has_an_entry_with_its_side() -> None:
    for id_, sides in sides_of_rules().items():
        assert set(ENTRIES[id_].sides) == sides, id_


def test_every_entry_has_a_rule() -> None:
    assert not set(ENTRIES) - set(sides_of_rules())


@pytest.mark.parametrize("entry", ALL, ids=lambda each: each.id)
def test_an_entry_says_all_that_a_reader_needs(entry: Entry) -> None:
    assert entry.what.endswith(".")
    assert len(entry.what) <= 80
    assert entry.told_by.endswith(".")
    assert entry.mends
    assert entry.az_says
    texts = (entry.what, entry.told_by, entry.az_says, *(each.title for each in entry.mends))
    assert not [text for text in texts if "\n" in text or "  " in text]


@pytest.mark.parametrize("entry", ALL, ids=lambda each: each.id)
def test_look_alikes_are_entries_and_not_the_entry_itself(entry: Entry) -> None:
    named = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", entry.told_by)
    assert not [name for name in named if name not in ENTRIES]
    assert entry.id not in look_alikes(entry)


def test_faults_that_look_alike_are_told_from_each_other() -> None:
    """The ones that users mix up name each other, from both ends."""
    alike = [
        ("tls-untrusted-root", "tls-missing-intermediate"),
        ("tls-untrusted-root", "tls-intercepted"),
        ("metadata-wrong-url", "metadata-intercepted"),
        ("tcp-timeout", "tcp-refused"),
        ("sp-secret-wrong", "sp-secret-expired"),
        ("app-not-found", "tenant-not-found"),
        ("arm-unauthorized", "arm-forbidden"),
    ]
    for one, other in alike:
        assert other in look_alikes(ENTRIES[one])
        assert one in look_alikes(ENTRIES[other])


COMMANDS = sorted({mend.bash for entry in ALL for mend in entry.mends if mend.bash})


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_that_bash_can_read(command: str) -> None:
    done = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("stacktui ")])
def test_a_command_of_ours_is_one_that_there_is(command: str) -> None:
    words = shlex.split(command.partition(" > ")[0])[1:]
    found: click.Command = cli
    context = click.Context(cli)
    while isinstance(found, click.Group):
        context = click.Context(found, parent=context)
        name = words.pop(0)
        inner = found.get_command(context, name)
        assert inner is not None, name
        found = inner
    options = {each for param in found.params for each in param.opts}
    assert not {each for each in words if each.startswith("--")} - options


def test_the_readme_has_the_catalogue_as_it_is() -> None:
    """Else `python -m tests.diagnosis.readme` writes it anew."""
    _, table, _ = section(README.read_text(encoding="utf-8"))
    assert table == printed()
