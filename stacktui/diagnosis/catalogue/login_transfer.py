"""The login host does not respond: unreachable, silent, or cut off."""

from __future__ import annotations

from stacktui.check.fault_text import fault_lines
from stacktui.check.step_names import StepName
from stacktui.diagnosis.catalogue.login_responses import ASK_SERVICE, ask_service
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.formatting import request_lines, route_lines
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.arm import NO_ANSWER_IN_TIME
from stacktui.diagnosis.messages.network import CONNECTION_CLOSED
from stacktui.diagnosis.messages.sign_in import NO_AUTHORITY
from stacktui.diagnosis.remedies import TRUST_MATRIX, checking_again
from stacktui.diagnosis.remedy_template import RemedyTemplate, for_both
from stacktui.transport.records import PhaseName, TransportFault, TransportFaultKind

# login-unreachable

_SEE_WHICH = for_both("See which host fails and why", "stacktui check --format json{environment}")
_FIX_AS_NAMED = RemedyTemplate("Then fix it as the named fault says, for the login host")

# No rule: `login_host` makes this finding from any fault of that host.
LOGIN_UNREACHABLE = FaultInfo(
    id="login-unreachable",
    group=Group.TOKEN,
    sides=(Side.BOX, Side.NETWORK, Side.STAMP),
    meaning="The login host cannot be reached, or its TLS is not trusted.",
    distinguishing_evidence=(
        "The metadata came, so that the way to ARM is good; the same fault of reach or TLS as "
        "for ARM, such as `dns-not-found`, `tcp-timeout`, `proxy-refused` or "
        "`tls-untrusted-root`, is named for the login host. A bundle with the stamp's root alone "
        "breaks the sign-in at a public login host."
    ),
    az_says=(
        "a traceback: requests.exceptions.ConnectionError: HTTPSConnectionPool(host='login…', "
        "port=443): Max retries exceeded with url: …"
    ),
    patterns={
        NO_AUTHORITY: 50,
        MessagePattern(
            "the request was for the login host",
            r"/userrealm/|/oauth2/|openid-configuration|host='(?:login|adfs|sts)\b"
            r"|login\.microsoftonline\.com.{0,12}port|discovery/instance|/adfs/|msal4j",
            also=r"max retries exceeded|sslerror|connection aborted|failed to establish"
            r"|timed out|failed to resolve|dial tcp|x509:|tls handshake|sslhandshakeexception"
            r"|unknownhostexception|connectexception",
        ): 96,
        MessagePattern(
            "the request for a token could not be sent",
            r"failed to execute the refresh request|endpoints_resolution_error"
            r"|accessing_ws_metadata_exchange_failed",
        ): 70,
    },
    remedies=(_SEE_WHICH, TRUST_MATRIX, _FIX_AS_NAMED),
)


# login-timeout

_TIMEOUTS = (TransportFaultKind.FIRST_BYTE_TIMEOUT, TransportFaultKind.STEP_TIMEOUT)
_AGAIN_UNDER_LOAD = checking_again("Run the check again: the service may just be under load")


def _login_timeout(failure: FailureContext) -> Explanation | None:
    fault = _fault_after_request(failure, _TIMEOUTS)
    if fault is None:
        return None
    limit = f"{fault.limit or 0:g} s"
    title = f"{failure.host} takes the sign-in, and does not answer it within {limit}"
    return Explanation(title, _unanswered_lines(failure), _unanswered_remedies(failure))


def _fault_after_request(
    failure: FailureContext, kinds: tuple[TransportFaultKind, ...]
) -> TransportFault | None:
    """Return the fault if it happened after a whole request was sent to the login host."""
    fault = failure.fault
    if failure.step.name != StepName.TOKEN or not isinstance(fault, TransportFault):
        return None
    phases = failure.last.phases if failure.last else ()
    sent = any(each.name is PhaseName.REQUEST and each.ok for each in phases)
    ended = bool(phases) and phases[-1].ok  # another request was waited for
    return fault if fault.kind in kinds and sent and not ended else None


def _unanswered_lines(failure: FailureContext) -> tuple[str, ...]:
    return (*request_lines(failure), *fault_lines(failure.fault), *route_lines(failure))


def _unanswered_remedies(failure: FailureContext) -> tuple[Remedy, ...]:
    return (_AGAIN_UNDER_LOAD.fill(**failure.placeholders), ask_service(failure))


LOGIN_TIMEOUT = FaultInfo(
    id="login-timeout",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The login host takes the sign-in, and never answers it.",
    distinguishing_evidence=(
        "The request was sent, and the bound that was hit is in the report. Where nothing could "
        "be sent, it is `login-unreachable`; a connection that is closed instead `login-reset`."
    ),
    az_says="nothing: az has no time-out there, and waits for ever",
    patterns={
        MessagePattern(
            "the sign-in service did not answer in time",
            r"\bmsal\b",
            also=r"read timed out|readtimeout",
        ): 90,
        MessagePattern(
            "the request for a token was not answered in time",
            r"failed to execute the refresh request|msalserviceexception|request_timeout",
            also=r"context (?:canceled|deadline)|request to the endpoint timed out",
        ): 90,
        NO_ANSWER_IN_TIME: 54,
    },
    remedies=(_AGAIN_UNDER_LOAD, *ASK_SERVICE),
    rules=(_login_timeout,),
)


# login-reset

_BREAKS = (TransportFaultKind.HTTP_RESET, TransportFaultKind.BODY_TRUNCATED)


def _login_reset(failure: FailureContext) -> Explanation | None:
    if _fault_after_request(failure, _BREAKS) is None:
        return None
    title = f"The connection to {failure.host} broke off before the sign-in was answered"
    return Explanation(title, _unanswered_lines(failure), _unanswered_remedies(failure))


LOGIN_RESET = FaultInfo(
    id="login-reset",
    group=Group.TOKEN,
    sides=(Side.SIGN_IN,),
    meaning="The login host closes the connection before it has answered.",
    distinguishing_evidence=(
        "The request was sent, and no whole answer came. Where the connection is closed before "
        "TLS is up, it is `login-unreachable`; silence is `login-timeout`."
    ),
    az_says=(
        "('Connection aborted.', RemoteDisconnected('Remote end closed connection without "
        "response'))"
    ),
    patterns={
        CONNECTION_CLOSED: 60,
        MessagePattern(
            "the sign-in service closed the connection",
            r"\bmsal\b",
            also=r"remote end closed|remotedisconnected|connectionreseterror|incompleteread",
        ): 90,
    },
    remedies=(_AGAIN_UNDER_LOAD, *ASK_SERVICE),
    rules=(_login_reset,),
)

# In order of precedence; `login_host` makes LOGIN_UNREACHABLE.
FAULTS = (LOGIN_TIMEOUT, LOGIN_RESET)
