"""A sign-in service that gives no answer of its own kind."""

from __future__ import annotations

from stacktui.check.report import StepName
from stacktui.diagnosis.context import Explained, FailureContext, Rule, rule
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.look import look_at
from stacktui.diagnosis.retry import retry_lines, when
from stacktui.diagnosis.shell import bash, powershell
from stacktui.diagnosis.words import fault_lines, request_line, route_lines
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.identities.authority import PUBLIC_LOGIN_HOSTS
from stacktui.identities.faults import SignInFault, SignInProblem
from stacktui.transport.facts import PhaseName, TransportFault, TransportFaultKind

# Entra's "the request was throttled".
_THROTTLED_CODES = frozenset({"AADSTS90055"})
# OAuth's words for a failure of the service itself (RFC 6749 section 4.1.2.1); any other error is
# about the request, whatever its status.
_SERVER_ERRORS = frozenset({"", "server_error", "temporarily_unavailable"})
_HEADERS = ("content-type", "server", "via", "location", "x-ms-request-id")
_OUT_OF_TIME = (TransportFaultKind.FIRST_BYTE_TIMEOUT, TransportFaultKind.STEP_TIMEOUT)
_BROKEN_OFF = (TransportFaultKind.HTTP_RESET, TransportFaultKind.BODY_TRUNCATED)
_NO_JSON = (SignInProblem.NOT_JSON, SignInProblem.SERVER_ERROR)


@rule("login-throttled", Side.SIGN_IN, "AADSTS90055: The request was throttled. … / 429")
def login_throttled(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, SignInFault) or not _throttled(fault):
        return None
    remedies = (
        Remedy(
            f"Run the check again {when(case.last, 'in a few minutes')}; until then let nothing "
            "else sign in as this identity",
            case.command("check", bash),
            case.command("check", powershell),
        ),
        Remedy(
            "If it comes back, find what signs in so often as this identity: a script should "
            "keep its token until it ends"
        ),
    )
    title = f"{case.host} throttles sign-ins: it was asked too often"
    return title, _evidence(case, fault), remedies


def _throttled(fault: SignInFault) -> bool:
    return fault.status == 429 or fault.code in _THROTTLED_CODES


@rule("login-server-error", Side.SIGN_IN, "server_error: … / a traceback where it is no JSON")
def login_server_error(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, SignInFault) or _throttled(fault):
        return None
    status = fault.status or 0
    if not 500 <= status < 600 or fault.error not in _SERVER_ERRORS:
        return None
    again = when(case.last, "in a minute: the service may just be restarting")
    remedies = (
        Remedy(
            f"Run the check again {again}",
            case.command("check", bash),
            case.command("check", powershell),
        ),
        _who_mends(case, fault),
    )
    title = f"The sign-in service {case.host} failed inside ({status})"
    return title, _evidence(case, fault), remedies


@rule("login-not-json", Side.SIGN_IN, "a traceback (JSONDecodeError: Expecting value …)")
def login_not_json(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, SignInFault) or fault.problem not in _NO_JSON or _throttled(fault):
        return None
    status = fault.status or 0
    if 500 <= status < 600:
        return None  # what fails inside may say so as it likes
    host, through = case.host, case.connection.proxy.url if case.connection else None
    look = look_at(case, case.last.url.partition("?")[0]) if case.last else ("", "")
    remedies = [
        Remedy(f"See who answers for {host}: a captive portal, a gateway, a bare web server", *look)
    ]
    if through:
        remedies.append(
            Remedy(
                f"If it is the proxy, go round it for {host}",
                f'export NO_PROXY={bash(host)}"${{NO_PROXY:+,$NO_PROXY}}"',
                f'$env:NO_PROXY = (@({powershell(host)}, $env:NO_PROXY) -ne $null) -join ","',
            )
        )
    remedies.append(_who_mends(case, fault))
    title = f"{host} does not answer as a sign-in service does"
    return title, _evidence(case, fault), tuple(remedies)


@rule("login-timeout", Side.SIGN_IN, "nothing: az has no time-out there, and waits for ever")
def login_timeout(case: FailureContext) -> Explained | None:
    fault = _after_asking(case, _OUT_OF_TIME)
    if fault is None:
        return None
    title = f"{case.host} takes the sign-in, and does not answer it within {fault.limit or 0:g} s"
    return title, _unanswered(case, fault), _again_or_ask(case)


@rule(
    "login-reset",
    Side.SIGN_IN,
    "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
)
def login_reset(case: FailureContext) -> Explained | None:
    fault = _after_asking(case, _BROKEN_OFF)
    if fault is None:
        return None
    title = f"The connection to {case.host} broke off before the sign-in was answered"
    return title, _unanswered(case, fault), _again_or_ask(case)


def _after_asking(
    case: FailureContext, kinds: tuple[TransportFaultKind, ...]
) -> TransportFault | None:
    """The fault, if the login host had a whole request when it happened."""
    fault = case.fault
    if case.step.name is not StepName.TOKEN or not isinstance(fault, TransportFault):
        return None
    phases = case.last.phases if case.last else ()
    sent = any(each.name is PhaseName.REQUEST and each.ok for each in phases)
    ended = bool(phases) and phases[-1].ok  # then it was not this request that was waited for
    return fault if fault.kind in kinds and sent and not ended else None


def _unanswered(case: FailureContext, fault: TransportFault) -> tuple[str, ...]:
    asked = (request_line(case.last),) if case.last else ()
    return (*asked, *fault_lines(fault), *route_lines(case))


def _again_or_ask(case: FailureContext) -> tuple[Remedy, ...]:
    again = case.command("check", bash), case.command("check", powershell)
    return (
        Remedy("Run the check again: the service may just be under load", *again),
        _who_mends(case),
    )


def _evidence(case: FailureContext, fault: SignInFault) -> tuple[str, ...]:
    lines = fault_lines(fault)
    if fault.page_title:
        lines.append(f"the page is titled: {fault.page_title}")
    if case.last is None:
        return tuple(lines)
    lines.append(request_line(case.last))
    response = case.last.response
    if response:
        shown = ((name, response.header(name)) for name in _HEADERS)
        lines += [f"{name}: {value}" for name, value in shown if value]
        lines += [f"it begins: {response.excerpt}"] if response.excerpt else []
    return (*lines, *retry_lines(case.last), *route_lines(case))


@rule("login-foreign-endpoint", Side.SIGN_IN, "nothing: it sends the secret to that host")
def login_foreign_endpoint(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, SignInFault):
        return None
    if fault.problem is not SignInProblem.FOREIGN_TOKEN_ENDPOINT:
        return None
    evidence = (
        f"{fault.authority}: {fault.description}",
        "nothing was sent there: no secret, and no user name",
        *([request_line(case.last)] if case.last else []),
        *route_lines(case),
    )
    remedies = (
        Remedy(
            f"Ask whoever runs the sign-in at {fault.authority} whether that host is theirs: its "
            "discovery document should name its own (a wrong host name in AD FS does this, too)"
        ),
        Remedy(
            "If they know nothing of it, sign in nowhere with this stamp: somebody on the way, or "
            "on the stamp, would collect secrets"
        ),
    )
    title = "The login host sends sign-ins on to another host: no secret was sent there"
    return title, evidence, remedies


@rule("token-too-large", Side.SIGN_IN, "(…) Request Header Fields Too Large / Bad Request")
def token_too_large(case: FailureContext) -> Explained | None:
    fault = case.fault
    if not isinstance(fault, SignInFault) or fault.problem is not SignInProblem.UNUSABLE_TOKEN:
        return None
    remedies = (
        Remedy(
            "Take the identity out of groups it does not need, or have its claims limited: a token "
            "lists every group (in Entra, groups assigned to the application are enough)"
        ),
        _who_mends(case, fault),
    )
    title = "The token that came is larger than any request can carry"
    return title, _evidence(case, fault), remedies


def _who_mends(case: FailureContext, fault: SignInFault | None = None) -> Remedy:
    """AD FS is the stamp's or the company's; an Entra of Microsoft's has a page of its health."""
    id_ = f" ({fault.correlation_id})" if fault and fault.correlation_id else ""
    if _is_adfs(case):
        return Remedy(
            f"If it stays so, whoever runs the AD FS at {case.host} looks into its event log "
            f"(AD FS/Admin) at that time, and at the service adfssrv{id_}"
        )
    if case.host in PUBLIC_LOGIN_HOSTS:
        return Remedy(
            "If it stays so, see the health of Entra at https://status.azure.com, and give "
            f"Microsoft's support the time and the correlation id{id_}"
        )
    return Remedy(
        f"If it stays so, give whoever runs {case.host} the time and the correlation id{id_}"
    )


def _is_adfs(case: FailureContext) -> bool:
    results = (step.evidence.result for step in case.report.steps)
    found = next((each for each in results if isinstance(each, Metadata)), None)
    return found is not None and found.identity_provider is IdentityProvider.ADFS


RULES: tuple[Rule[FailureContext], ...] = (
    login_throttled,
    login_server_error,
    login_not_json,
    login_timeout,
    login_reset,
    login_foreign_endpoint,
    token_too_large,
)
