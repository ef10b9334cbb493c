"""Any report has a diagnosis, and any diagnosed report is a document, whatever its texts hold."""

from __future__ import annotations

import json
import time
import types
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacktui.azure_cli.facts import AzFacts
from stacktui.azure_cli.http_cache import KeptError
from stacktui.certificates.additions import LostAddition
from stacktui.certificates.chain_completion import ChainCompletion
from stacktui.check.clients import PythonClient
from stacktui.check.report import Evidence, Fault, Probe, Report, StepOutcome, StepResult
from stacktui.check.step_names import STANDING, StepName
from stacktui.check.target import CheckTarget
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.clients import client_results
from stacktui.diagnosis.context import ReportContext
from stacktui.diagnosis.document import report_document
from stacktui.diagnosis.finding import Finding
from stacktui.diagnosis.markdown import report_markdown
from stacktui.environments.metadata import Metadata
from stacktui.environments.model import Environment
from stacktui.environments.record import StampRecord
from stacktui.identities.faults import SecretFault
from stacktui.identities.model import EnvSecret, FileSecret, Identity, IdentityKind
from stacktui.identities.token import TokenFacts
from stacktui.python_clients.packages import Package
from stacktui.resources.model import ArmFault, ArmProblem, ResourceGroupList
from stacktui.text.sanitize import escape_control_chars
from stacktui.text.shell import bash, powershell
from stacktui.transport.records import (
    ConnectionFacts,
    Exchange,
    ProxyUsed,
    TlsFacts,
    TransportFault,
    TransportFaultKind,
)
from tests.diagnosis.schema import validate
from tests.support.authority import STRANGERS, authority, localhost
from tests.support.draws import draws

# Seconds in which any report is judged and written; a good one takes milliseconds.
AT_ONCE = 5.0
NOW = datetime(2026, 5, 3, tzinfo=UTC)
ODD = (
    "", " ", "https://[", "https://[::1", "//[", "https://h:99999999/", "https://h:x",
    "https://\u2100/", "\x1b[2J", "\u202e", "a\nb", "\ud800", "'; rm -rf ~ #", "--help", "$(id)",
    "MSIS9622",
    "invalid_client", "AuthorizationFailed", "object id '", "scope '/'", "<html>", "<?xml",
    "x" * 3000,
    "REQUESTS_CA_BUNDLE", "ca", "https://arm.test/subscriptions/%/resourcegroups",
)  # fmt: skip
TEXTS = st.sampled_from(ODD) | st.text(max_size=30)
DERS = st.sampled_from(
    [localhost().der, authority().intermediate.der, authority().root.der, STRANGERS.root.der, b""]
) | st.binary(max_size=40)
CHAINS = st.lists(DERS, max_size=12).map(tuple)
SDK = ["azure-mgmt-resource", "azure-mgmt-compute"]
# Few values of what rules compare, so that they are often the same.
FEW = {
    "host": st.sampled_from(["arm.test", "login.test", "login.microsoftonline.com"]) | TEXTS,
    "port": st.sampled_from([443, 8443]) | st.integers(-1, 70000),
    "arm": st.sampled_from(["https://arm.test:8443", "https://arm.test"]) | TEXTS,
    "login_endpoint": st.sampled_from(["https://login.test/adfs", "https://arm.test:8443"]) | TEXTS,
    "audience": st.sampled_from(["https://arm/1", "https://arm/1/"]) | TEXTS,
    "scope": st.sampled_from(["https://arm/1/.default", "https://arm/1/openid"]) | TEXTS,
    "verify_code": st.sampled_from([0, 2, 9, 10, 18, 19, 20, 21, 26, 62, 64, 66, 67, 68, 79]),
    "status": st.sampled_from([0, 200, 302, 304, 400, 401, 403, 407, 429, 500, 503, 10**9]),
    "chain": CHAINS,
    "der": DERS,
    "packages": st.lists(
        st.builds(Package, st.sampled_from(SDK) | TEXTS, st.sampled_from(["24.0.0", "99"]) | TEXTS),
        max_size=3,
    ).map(tuple),
    "top": DERS,
}


def values(kind: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Any value of a type as the facts' fields have them."""
    if get_origin(kind) in (Union, types.UnionType):
        return st.one_of([values(each, name) for each in get_args(kind)])
    if name in FEW and kind is not type(None):
        return FEW[name]
    if is_dataclass(kind) and isinstance(kind, type):
        return objects(kind)
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return st.lists(values(inner[0]), max_size=3).map(tuple)
        return st.tuples(*(values(each) for each in inner))
    if get_origin(kind) is not None:  # a mapping
        return st.dictionaries(TEXTS, TEXTS, max_size=2)
    plain = {
        str: TEXTS,
        Path: TEXTS.map(Path),
        int: st.integers(-1, 70000),
        float: st.floats(),
        bool: st.booleans(),
        bytes: st.binary(max_size=20),
        type(None): st.none(),
        datetime: st.datetimes(timezones=st.just(UTC)),
    }
    return plain[kind] if kind in plain else st.sampled_from(list(kind))


@cache
def objects(kind: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind, localns={"KeptError": KeptError})
    return st.builds(
        kind, **{each.name: values(hints[each.name], each.name) for each in fields(kind)}
    )


FAULTS = st.one_of([objects(kind) for kind in get_args(Fault)])
EVIDENCE = st.deferred(lambda: objects(Evidence))
RESULTS = {
    StepName.METADATA: objects(Metadata),
    StepName.TOKEN: objects(TokenFacts),
    StepName.RESOURCE_GROUPS: objects(ResourceGroupList),
}


@st.composite
def reports(draw: st.DrawFn) -> Report:
    failing = draw(st.sampled_from([None, *STANDING]))
    steps = []
    for name in STANDING:
        evidence = draw(EVIDENCE)
        outcome = StepOutcome.FAILED if name is failing else StepOutcome.OK
        fault = draw(FAULTS) if name is failing else None
        # A rule must bear a step that went well without a result, too.
        result = None if name is failing else draw(st.none() | RESULTS[name])
        steps.append(
            StepResult(
                name, outcome, draw(values(float)), replace(evidence, fault=fault, result=result)
            )
        )
    target = CheckTarget(draw(objects(Environment)), draw(st.none() | objects(Identity)))
    return Report(
        target,
        draw(values(datetime)),
        draw(values(float)),
        tuple(steps),
        lost=draw(st.lists(objects(LostAddition), max_size=2).map(tuple)),
        recorded=draw(st.none() | objects(StampRecord)),
        probes=draw(st.lists(objects(Probe), max_size=2).map(tuple)),
        completion=draw(st.none() | objects(ChainCompletion)),
        siblings=draw(st.lists(TEXTS, max_size=2).map(tuple)),
        az=draw(st.none() | objects(AzFacts)),
        clients=draw(st.lists(objects(PythonClient), max_size=3).map(tuple)),
    )


def shown(found: Finding) -> list[str]:
    said = ((each.title, each.bash, each.powershell) for each in found.remedies)
    return [found.title, *found.evidence, *(text for texts in said for text in texts)]


@settings(
    max_examples=draws(50),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(reports())
def test_any_report_has_a_diagnosis_and_a_document(report: Report) -> None:
    started = time.monotonic()
    diagnosis = diagnose(report)
    assert (diagnosis.verdict is None) == report.ok
    for found in (diagnosis.verdict, *diagnosis.also_seen):
        if found is not None:
            assert found.evidence
            assert all(is_harmless(line) for line in shown(found))
            assert all(len(line) <= 800 for line in (found.title, *found.evidence))
    for client in client_results(ReportContext(report)):
        for found in client.findings:
            assert found.evidence
            assert all(is_harmless(line) for line in shown(found))
    text = json.dumps(report_document(report, diagnosis), allow_nan=False)
    validate(json.loads(text))
    assert report_markdown(report, diagnosis)
    assert time.monotonic() - started < AT_ONCE


def is_harmless(line: str) -> bool:
    return escape_control_chars(line) == line


ARM = "https://arm.test:8443"


def failed(
    fault: Any, step_name: str = StepName.METADATA, *exchanges: Exchange, **target: Any
) -> Report:
    step = StepResult(step_name, StepOutcome.FAILED, 0.1, Evidence(exchanges, fault=fault))
    environment = Environment(target.pop("name", "Test"), target.pop("arm", ARM))
    return Report(CheckTarget(environment, **target), NOW, 0.1, (step,))


def verdict(report: Report) -> Finding:
    found = diagnose(report).verdict
    assert found is not None
    return found


@pytest.mark.parametrize(
    "exchange",
    [
        Exchange("GET", "https://[", None, None, ()),
        Exchange("", "", None, None, ()),
        Exchange("GET", ARM, ConnectionFacts("", 0, ProxyUsed(None, "")), None, ()),
        Exchange(
            "GET", ARM, ConnectionFacts("", 0, ProxyUsed(None, ""), tls=TlsFacts("")), None, ()
        ),
    ],
)
def test_an_exchange_that_came_to_nothing_is_a_document(exchange: Exchange) -> None:
    fault = TransportFault(TransportFaultKind.HTTP_RESET, "", 0, "")
    report = failed(fault, StepName.METADATA, exchange)
    (step,) = report_document(report, diagnose(report))["steps"]
    assert len(step["evidence"]["exchanges"]) == 1


@pytest.mark.parametrize("name", ["--help", "a\x1b[2Jb", "it's", "\u202eTest"])
def test_a_name_of_any_kind_is_one_inert_argument(name: str) -> None:
    server_error = ArmFault(ArmProblem.REFUSED, "the groups", 500)
    known, unknown = (
        failed(server_error, StepName.RESOURCE_GROUPS, name=name),
        failed(replace(server_error, status=418), StepName.RESOURCE_GROUPS, name=name),
    )
    (again, _), (keep,) = verdict(known).remedies, verdict(unknown).remedies
    assert again.bash == f"stacktui check -- {bash(name)}"
    assert again.powershell == f"stacktui check -- {powershell(name)}"
    assert keep.bash == f"stacktui check --format json -- {bash(name)} > check.json"


def test_a_host_is_no_part_of_the_script_that_tries_it() -> None:
    fault = TransportFault(TransportFaultKind.TCP_REFUSED, "h$(id)", 8443, "refused")
    command = verdict(failed(fault)).remedies[0].bash
    assert command == """timeout 5 bash -c '</dev/tcp/"$0"/"$1"' 'h$(id)' 8443 && echo open"""


@pytest.mark.parametrize("name", ["A B", "x; id", "$(id)", "a\nb", ""])
def test_a_variable_that_no_shell_can_set_gets_no_command(name: str) -> None:
    identity = Identity("sp", IdentityKind.SERVICE_PRINCIPAL, "c", EnvSecret(name))
    found = verdict(failed(SecretFault(name, "not set"), StepName.TOKEN, identity=identity))
    assert found.id == "secret-missing"
    assert all(not remedy.bash for remedy in found.remedies)


def test_names_and_paths_of_our_own_are_shown_harmless() -> None:
    path = Path("/tmp/a\x1b]0;x\x07\u202eb")
    identity = Identity("i\x1bd", IdentityKind.SERVICE_PRINCIPAL, "c", FileSecret(path))
    found = verdict(failed(SecretFault(str(path), "gone"), StepName.TOKEN, identity=identity))
    assert r"i\x1bd" in found.title
    assert all(is_harmless(line) for line in shown(found))
