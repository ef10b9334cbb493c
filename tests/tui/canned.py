"""Canned checks with fixed times, for the tests to show on the real screens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from stacktui.certificates.trust import TrustSource, TrustUsed
from stacktui.check.events import (
    CheckEvent,
    CheckFinished,
    CheckStarted,
    PhaseFinished,
    PhaseStarted,
    SignInPrompt,
    StepFinished,
    StepStarted,
)
from stacktui.check.report import Evidence, Report, StepOutcome, StepResult
from stacktui.check.step_names import StepName
from stacktui.check.target import CheckTarget
from stacktui.diagnosis.finding import Action, ActionKind, Diagnosis, Finding, Remedy, Side
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import Environment
from stacktui.identities.model import EnvSecret, Identity, IdentityKind
from stacktui.identities.token import Token, TokenFacts
from stacktui.identities.token_source import SignIn, TokenSource
from stacktui.resources.model import ResourceGroup, ResourceGroupList
from stacktui.transport.records import (
    ConnectionFacts,
    Exchange,
    Phase,
    PhaseName,
    ProxyUsed,
    ResponseFacts,
    SentRequest,
    TlsFacts,
    TransportFault,
    TransportFaultKind,
)
from stacktui.tui.app import StacktuiApp
from stacktui.tui.check_runner import Engine
from stacktui.tui.scan_runner import ScanEngine, load_scan_engine

from .canned_arm import CannedArm
from .canned_certificates import ARM, LOGIN, STARTED, describe, identity_files

TRUST = TrustUsed((TrustSource("certifi", "/cacert.pem"), TrustSource("ca", "/root.pem")))

CONFIG = """\
active = "AzureStackUser"

[environments.AzureStackUser]
arm = "https://management.local.azurestack.external"
identity = "ops"
ca = "/etc/stacktui/root.pem"

[environments.AzureStackAdmin]
arm = "https://adminmanagement.local.azurestack.external"
identity = "operator"

[environments.West]
arm = "https://management.west.contoso.example"

[identities.ops]
kind = "service-principal"
tenant = "contoso.onmicrosoft.com"
client_id = "5e0dd8c1-5a3f-4b1e-9f0e-2b8f1c9d7a66"
secret = { env = "OPS_SECRET" }

[identities.operator]
kind = "service-principal"
client_id = "0c9f7a52-1d3c-4a67-8c0b-6f3f0f7a9b11"
certificate = "/etc/stacktui/operator.pem"
"""
HOSTILE_CONFIG = r"""
active = "[bold red]evil[/] \u001b[31mred\u001b[0m\nnext line"

[environments."[bold red]evil[/] \u001b[31mred\u001b[0m\nnext line"]
arm = "https://management.local.azurestack.external"
identity = "[link=https://evil.example]me[/link]"

[environments."a-name-without-any-place-to-break-it-that-is-much-longer-than-any-pane-is-wide-0123456789"]
arm = "https://management.west.contoso.example"

[environments."日本語の環境名、とても長い名前です、画面より長い"]
arm = "https://management.west.contoso.example"

[identities."[link=https://evil.example]me[/link]"]
kind = "service-principal"
client_id = "\u202Edecived"
secret = { env = "X" }
"""


def environment(name: str = "AzureStackUser") -> Environment:
    return Environment(name, f"https://{ARM}", identity="ops", ca=Path("/etc/stacktui/root.pem"))


TARGET = CheckTarget(
    environment(),
    Identity(
        "ops",
        IdentityKind.SERVICE_PRINCIPAL,
        "5e0dd8c1-5a3f-4b1e-9f0e-2b8f1c9d7a66",
        EnvSecret("OPS_SECRET"),
        "contoso.onmicrosoft.com",
    ),
)


def phases(host: str, *milliseconds: float) -> tuple[Phase, ...]:
    """Return the phases DNS, TCP, TLS, request, first byte and body; fewer figures end earlier."""
    names = (PhaseName.DNS, PhaseName.TCP, PhaseName.TLS, PhaseName.REQUEST,
             PhaseName.FIRST_BYTE, PhaseName.BODY)  # fmt: skip
    pairs = zip(names, milliseconds, strict=False)
    return tuple(Phase(name, host, figure / 1000) for name, figure in pairs)


def connection(host: str, verify_code: int = 0) -> ConnectionFacts:
    tls = TlsFacts(
        host,
        "TLSv1.3",
        "TLS_AES_256_GCM_SHA384",
        (f"leaf {host}".encode(), b"issuing ca", b"root"),
        verify_code or None,
        "unable to get local issuer certificate" if verify_code else None,
        unverified_probe=bool(verify_code),
    )
    return ConnectionFacts(host, 443, ProxyUsed(None, "no proxy is set"), ("10.0.0.5",), tls=tls)


def reused(host: str, path: str, wait: float, body: float) -> Exchange:
    """Return an exchange over a connection that is already open."""
    took = (
        Phase(PhaseName.REQUEST, host, 0.0001),
        Phase(PhaseName.FIRST_BYTE, host, wait / 1000),
        Phase(PhaseName.BODY, host, body / 1000),
    )
    return replace(exchange(host, path), phases=took)


def requests() -> tuple[Exchange, ...]:
    """Return those of a check and of a listing whose second page is throttled."""
    groups = "/subscriptions/3f6d8b52-6a0c-4f5b-8f16-7f7c0d1f2a90/resourcegroups"
    groups += "?api-version=2019-10-01"
    throttled = reused(ARM, f"{groups}&$skiptoken=cm93czoxMDA", 3, 0.1)
    assert throttled.response is not None
    response = replace(throttled.response, status=429)
    token = exchange(LOGIN, "/adfs/oauth2/token", 1, 3, 22, 0.2, 36, 1)
    form = (("grant_type", "client_credentials"), ("client_secret", None))
    of_arm: dict[str, Any] = {"bearer": True, "audience": METADATA.audience}
    return (
        sent(exchange(ARM, "/metadata/endpoints?api-version=2015-01-01", 2, 4, 31, 0.2, 48, 2), 0),
        sent(replace(token, method="POST"), 0.1, form=form),
        sent(reused(ARM, groups, 41, 1.2), 0.2, **of_arm),
        sent(replace(throttled, response=response), 0.3, **of_arm),
    )


def exchange(host: str, path: str, *milliseconds: float, size: int = 900) -> Exchange:
    response = ResponseFacts(
        200, (("x-ms-request-id", "6f1c0d1e-77aa-4a0b-8f0d-0e9e7c1b2a55"),), size, "", STARTED
    )
    took = phases(host, *milliseconds)
    return Exchange("GET", f"https://{host}{path}", connection(host), response, took)


def sent(made: Exchange, seconds: float, **known: Any) -> Exchange:
    """Return an exchange as the request log keeps it, begun some seconds after the start."""
    began = STARTED + timedelta(seconds=seconds)
    return replace(made, sent=SentRequest(began, made.url, ("/etc/stacktui/root.pem",), **known))


METADATA = Metadata(
    "2015-01-01",
    "https://adfs.local.azurestack.external/adfs",
    "https://management.adfs.azurestack.local/4de2b1f4",
    IdentityProvider.ADFS,
    tenant="adfs",
    graph="https://graph.local.azurestack.external/",
    portal="https://portal.local.azurestack.external/",
    storage_suffix="local.azurestack.external",
    keyvault_suffix=".vault.local.azurestack.external",
)
TOKEN = TokenFacts(
    authority=METADATA.login_endpoint,
    scope=f"{METADATA.audience}/.default",
    audience=METADATA.audience,
    issuer="http://adfs.local.azurestack.external/adfs/services/trust",
    subject="5e0dd8c1-5a3f-4b1e-9f0e-2b8f1c9d7a66",
    expires=STARTED + timedelta(hours=1),
    claims=(
        ("aud", METADATA.audience),
        ("iss", "http://adfs.local.azurestack.external/adfs/services/trust"),
        ("iat", "1795230729"),
        ("exp", "1795234329"),
        ("apptype", "Confidential"),
        ("appid", "5e0dd8c1-5a3f-4b1e-9f0e-2b8f1c9d7a66"),
        ("authmethod", "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/tls"),
        ("ver", "1.0"),
        ("roles", "Owner"),
    ),
)
GROUPS = ResourceGroupList(
    "3f6d8b52-6a0c-4f5b-8f16-7f7c0d1f2a90",
    tuple(
        ResourceGroup(name, "local", state)
        for name, state in (
            ("backup-vault-prod", "Succeeded"),
            ("network-hub", "Succeeded"),
            ("sql-always-on", "Succeeded"),
            ("web-frontend", "Deleting"),
            *((f"team-{number:02}", "Succeeded") for number in range(1, 15)),
        )
    ),
    1,
)

METADATA_OK = StepResult(
    StepName.METADATA,
    StepOutcome.OK,
    0.087,
    Evidence(
        (exchange(ARM, "/metadata/endpoints?api-version=2015-01-01", 2, 4, 31, 0.2, 48, 2),),
        TRUST,
        result=METADATA,
    ),
)
TOKEN_OK = StepResult(
    StepName.TOKEN,
    StepOutcome.OK,
    0.064,
    Evidence((exchange(LOGIN, "/adfs/oauth2/token", 1, 3, 22, 0.2, 36, 1),), TRUST, result=TOKEN),
)
GROUPS_OK = StepResult(
    StepName.RESOURCE_GROUPS,
    StepOutcome.OK,
    0.041,
    Evidence(
        (
            reused(ARM, "/subscriptions?api-version=2016-06-01", 15, 1),
            reused(ARM, "/subscriptions/3f6d8b52/resourcegroups", 21, 3),
        ),
        TRUST,
        result=GROUPS,
    ),
)
HEALTHY = Report(TARGET, STARTED, 0.192, (METADATA_OK, TOKEN_OK, GROUPS_OK))


def skipped(name: str, why: str) -> StepResult:
    return StepResult(name, StepOutcome.SKIPPED, 0.0, Evidence(skipped=why))


METADATA_ONLY = Report(
    CheckTarget(replace(environment("West"), arm="https://management.west.contoso.example")),
    STARTED,
    0.087,
    (
        METADATA_OK,
        skipped(StepName.TOKEN, "no identity is configured for this environment"),
        skipped(StepName.RESOURCE_GROUPS, "no identity is configured for this environment"),
    ),
)


def untrusted() -> Report:
    """Return a report in which the login host's chain ends in an untrusted root."""
    fault = TransportFault(
        TransportFaultKind.TLS_VERIFY,
        LOGIN,
        443,
        "unable to get local issuer certificate",
        verify_code=20,
    )
    failed = Phase(PhaseName.TLS, LOGIN, 0.029, ok=False)
    seen = Exchange(
        "POST",
        f"https://{LOGIN}/adfs/oauth2/token",
        connection(LOGIN, verify_code=20),
        None,
        (*phases(LOGIN, 1, 3), failed),
        fault,
    )
    return Report(
        TARGET,
        STARTED,
        0.139,
        (
            METADATA_OK,
            StepResult(
                StepName.TOKEN, StepOutcome.FAILED, 0.052, Evidence((seen,), TRUST, fault=fault)
            ),
            skipped(StepName.RESOURCE_GROUPS, "no token"),
        ),
    )


UNTRUSTED = untrusted()
VERDICT = Finding(
    "tls-untrusted-root",
    "adfs.local.azurestack.external ends in a root that nothing here trusts",
    Side.BOX,
    (
        f"root: Contoso Web Gateway CA, SHA-256 {sha256(b'gateway').digest().hex(':').upper()}",
        "trusted here: certifi + ca (/etc/stacktui/root.pem)",
    ),
    (
        Remedy(
            "Trust the root for this environment: set its ca",
            "openssl s_client -connect adfs.local.azurestack.external:443 -showcerts </dev/null"
            " | openssl x509 > root.pem",
            "Get-Item root.pem",
        ),
        Remedy("Ask the stamp's operator for the root certificate"),
    ),
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: certificate verify failed",
)
SEEN_TOO = Finding(
    "cert-expires-soon",
    "management.local.azurestack.external expires in 25 days",
    Side.STAMP,
    (),
    (Remedy("Ask the stamp's operator to rotate it"),),
    "",
)


def diagnose(report: Report) -> Diagnosis:
    return Diagnosis(VERDICT, (SEEN_TOO,)) if report.failed else Diagnosis(None)


def fixable(report: Report) -> Diagnosis:
    """Return a diagnosis with remedies that stacktui can carry out, one of each kind."""
    profile = "2018-03-01-hybrid"
    fixes = (
        Remedy(
            f"Use the profile that fits this stamp: {profile}",
            f"stacktui environments set -- AzureStackUser profile={profile}",
            f"stacktui environments set -- 'AzureStackUser' 'profile={profile}'",
            Action(ActionKind.SET, "profile", profile),
        ),
        Remedy(
            "Trust its root as it was presented",
            action=Action(ActionKind.TRUST_ROOT, host=LOGIN, port=443),
        ),
    )
    accept = Remedy("Accept the stamp as it is now", action=Action(ActionKind.ACCEPT))
    return Diagnosis(replace(VERDICT, remedies=fixes), (replace(SEEN_TOO, remedies=(accept,)),))


def choosing(report: Report) -> Diagnosis:
    """Return a diagnosis of a secret that can be typed, with two commands."""
    verdict = replace(
        VERDICT,
        id="secret-missing",
        title="The secret of identity ops is not there",
        remedies=(
            Remedy(
                "Set OPS_SECRET in this shell without leaving the secret in its history",
                "read -rs OPS_SECRET && export OPS_SECRET",
                "$env:OPS_SECRET = Read-Host",
                Action(ActionKind.ASK_SECRET),
            ),
            Remedy("See what the identity is", "stacktui environments show", "stacktui"),
        ),
    )
    return Diagnosis(verdict)


def forbidden(report: Report) -> Diagnosis:
    """Return a diagnosis of an identity without a role."""
    scope = "/subscriptions/7f0e9d3c-4b1a-4f58-9c6d-2a8e5b7c1d90"
    principal = "5e0dd8c1-5a3f-4b1e-9f0e-2b8f1c9d7a66"
    command = f"stacktui identities grant {principal} --role Reader --scope {scope}"
    remedy = Remedy(
        f"An owner of {scope} grants Reader, the smallest role that can do this",
        command,
        command,
        Action(ActionKind.GRANT, scope, principal),
    )
    title = "Signed in, but not allowed to read resource groups"
    return Diagnosis(replace(VERDICT, id="arm-forbidden", title=title, remedies=(remedy,)))


def events_of(report: Report) -> list[CheckEvent]:
    """Return the events that lead to a report."""
    events: list[CheckEvent] = [CheckStarted(report.target, report.started)]
    for step in report.steps:
        if step.outcome is not StepOutcome.SKIPPED:
            events.append(StepStarted(step.name))
            for phase in step.phases:
                events.append(PhaseStarted(step.name, phase.name, phase.host))
                events.append(PhaseFinished(step.name, phase))
        events.append(StepFinished(step))
    return [*events, CheckFinished(report)]


def signing_in(report: Report) -> list[CheckEvent]:
    """Return the events of a report's first two steps: of a sign-in without resource groups."""
    started, *events = events_of(replace(report, steps=report.steps[:2]))
    assert isinstance(started, CheckStarted)
    return [replace(started, steps=(StepName.METADATA, StepName.TOKEN)), *events]


def waiting_for_first_byte() -> list[CheckEvent]:
    """Return the events of a check whose second step is still running."""
    events = events_of(HEALTHY)
    waiting = PhaseStarted(StepName.TOKEN, PhaseName.FIRST_BYTE, LOGIN)
    return events[: events.index(waiting) + 1]


def waiting_for_sign_in(
    page: str = f"https://{LOGIN}/adfs/oauth2/deviceauth", code: str = "GHQ7-B2KX"
) -> list[CheckEvent]:
    """Return the events of a check that waits for a person, for a quarter of an hour."""
    prompt = SignInPrompt(LOGIN, page, code, STARTED + timedelta(minutes=15), run_id="1")
    return [*waiting_for_first_byte(), prompt]


async def replay(events: Sequence[CheckEvent]) -> AsyncGenerator[CheckEvent, None]:
    """Yield the events; unless they end the check, wait for ever after the last one."""
    for event in events:
        yield event
    if not isinstance(events[-1], CheckFinished):
        await asyncio.Event().wait()


def canned_app(
    config: Path,
    events: Sequence[CheckEvent] = (),
    *,
    start_demo: Callable[[], Path] | None = None,
    text: str | None = None,
    scan: Callable[[], ScanEngine] | None = None,
    diagnosis: Callable[[Report], Diagnosis] = diagnose,
) -> StacktuiApp:
    """Return the real app on a config with this text, over an engine that replays `events` and
    diagnoses with `diagnosis`; `scan` loads the engine of the certificate scan."""
    if text is not None:
        config.write_text(text, encoding="utf-8")

    tokens = TokenSource(STARTED.timestamp)

    async def run(target: CheckTarget) -> AsyncGenerator[CheckEvent, None]:
        async with aclosing(replay([_with_target(target, event) for event in events])) as replayed:
            async for event in replayed:
                _sign_in(target, event, tokens)
                yield event

    class CannedApp(StacktuiApp):
        load_engine = staticmethod(
            lambda: Engine(run, diagnosis, describe, sign_in=run, tokens=tokens)
        )
        load_scan_engine = staticmethod(scan or load_scan_engine)
        load_arm_engine = staticmethod(lambda: CannedArm(tokens=tokens))
        read_files = staticmethod(identity_files)
        read_clouds = staticmethod(lambda: None)

    return CannedApp(config, start_demo=start_demo)


def _sign_in(target: CheckTarget, event: CheckEvent, tokens: TokenSource) -> None:
    """Tell the tokens how a sign-in ended, as the check's step does."""
    if not isinstance(event, StepFinished) or event.step.name != StepName.TOKEN:
        return
    evidence, identity = event.step.evidence, target.identity
    if identity is None or evidence.skipped:
        return
    wanted = SignIn(target.environment, identity, target.config)
    if isinstance(evidence.result, TokenFacts):
        tokens.keep(wanted, Token("eyJ-a-token", evidence.result))
    else:
        tokens.failed(wanted, evidence.fault)


def _with_target(target: CheckTarget, event: CheckEvent) -> CheckEvent:
    return replace(event, target=target) if isinstance(event, CheckStarted) else event
