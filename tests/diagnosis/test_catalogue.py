"""The faults of the catalogue: whole, true to the rules, and usable as they are written."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace

import click
import pytest

from stacktui.cli.main import cli
from stacktui.diagnosis.catalogue.advised import ADVISED
from stacktui.diagnosis.catalogue.by_message import BY_MESSAGE
from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT, look_alikes
from stacktui.diagnosis.catalogue.login_transfer import LOGIN_UNREACHABLE
from stacktui.diagnosis.catalogue.precedence import FAULTS
from stacktui.diagnosis.catalogue.unexplained import UNEXPLAINED
from stacktui.diagnosis.catalogue_export import shown_remedies
from stacktui.diagnosis.fault import Group
from stacktui.diagnosis.finding import Action, ActionKind, Remedy, Side, finding
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
        "login-unreachable login-server-error login-not-json login-intercepted "
        "login-foreign-endpoint "
        "token-too-large secret-missing sp-secret-wrong "
        "sp-secret-expired sp-cert-unusable sp-cert-rejected app-not-found tenant-not-found "
        "audience-unknown adfs-client-not-allowed app-not-public password-wrong account-locked "
        "account-disabled password-expired mfa-required conditional-access consent-required "
        "device-code-expired device-code-declined login-throttled imds-unreachable "
        "imds-no-identity imds-unavailable az-not-installed az-cloud-missing az-not-signed-in "
        "az-no-token token-audience-mismatch token-expired-on-arrival "
        "clock-skew"
    ),
    Group.RESOURCES: (
        "arm-unauthorized arm-forbidden no-subscriptions subscription-not-found "
        "subscription-disabled api-version-unsupported arm-throttled arm-server-error "
        "arm-unavailable arm-not-json arm-intercepted arm-reset arm-timeout paging-loop "
        "paging-foreign-host write-refused"
    ),
    Group.ADVISORY: (
        "cert-expires-soon cert-readiness verification-off az-too-new az-config-broken "
        "az-stale-error-cache certifi-addition-lost secret-file-open image-alias-unknown "
        "image-aliases-built-in image-aliases-unreadable image-not-offered "
        "provider-not-registered probe-leftover"
    ),
    Group.OTHER: "unexplained",
}


def test_every_published_id_has_its_fault() -> None:
    for group, ids in PUBLIC.items():
        for id_ in ids.split():
            assert EVERY_FAULT[id_].group is group, id_


def test_an_id_is_defined_once() -> None:
    for each in (LOGIN_UNREACHABLE, *FAULTS, *ADVISED, *BY_MESSAGE, UNEXPLAINED):
        assert EVERY_FAULT[each.id] is each


def test_a_fault_says_all_that_a_reader_needs() -> None:
    for fault in EVERY_FAULT.values():
        assert fault.meaning.endswith("."), fault.id
        assert len(fault.meaning) <= 80, fault.id
        assert fault.distinguishing_evidence.endswith("."), fault.id
        assert fault.remedies, fault.id
        assert fault.sides, fault.id
        assert fault.az_says, fault.id
        titles = [each.title for each in shown_remedies(fault)]
        texts = (fault.meaning, fault.distinguishing_evidence, fault.az_says, *titles)
        assert not [text for text in texts if "\n" in text or "  " in text], fault.id


def test_a_fault_can_be_found() -> None:
    """By a rule of its own; two are what the engine makes of others, or of none.

    Some are found by what az says alone: no check creates a machine.
    """
    made = (LOGIN_UNREACHABLE, UNEXPLAINED)
    for fault in EVERY_FAULT.values():
        has_rule = fault not in made and fault not in BY_MESSAGE
        assert bool(fault.rules or fault.advisories) is has_rule, fault.id
        assert fault.patterns or fault not in BY_MESSAGE, fault.id


def test_look_alikes_are_faults_and_not_the_fault_itself() -> None:
    for fault in EVERY_FAULT.values():
        hyphened = [each for each in fault.look_alike_names if "-" in each]
        assert not [each for each in hyphened if each not in EVERY_FAULT], fault.id
        assert fault.id not in look_alikes(fault), fault.id


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
        assert other in look_alikes(EVERY_FAULT[one])
        assert one in look_alikes(EVERY_FAULT[other])


def test_a_fault_ends_in_a_command_or_with_whoever_must_act() -> None:
    """By its definition: `y` has a command, or it is on the side of somebody to send it to."""
    for fault in EVERY_FAULT.values():
        if not any(each.bash for each in shown_remedies(fault)):
            assert Side.BOX not in fault.sides, fault.id
        for side in fault.sides:
            alone = finding(fault.id, "", side, (), (Remedy("by hand"),), "")
            assert alone.owner, (fault.id, side)
            for here in (Remedy("", "ls", "dir"), Remedy("", action=Action(ActionKind.ACCEPT))):
                assert not replace(alone, remedies=(here,)).owner, (fault.id, side)


COMMANDS = sorted(
    {
        remedy.bash
        for fault in EVERY_FAULT.values()
        for remedy in shown_remedies(fault)
        if remedy.bash
    }
)


def test_a_command_is_one_that_bash_can_read() -> None:
    for command in COMMANDS:
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
