"""Pages and redirects of something on the way, in place of a token or of ARM's answer.

The same at the first step is `metadata-intercepted`.
"""

from __future__ import annotations

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.gateway_answer import (
    AROUND_PROXY,
    LET_PASS,
    gateway_lines,
    is_intercepted,
)
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.arm import NO_JSON
from stacktui.identities.faults import SignInFault
from stacktui.resources.model import ArmFault


def _explanation(failure: FailureContext, title: str, page: str) -> Explanation:
    remedies = (LET_PASS.fill(host=failure.host), AROUND_PROXY.fill(host=failure.host))
    return Explanation(title, gateway_lines(failure, page), remedies)


def _login_intercepted(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, SignInFault) or fault.error:
        return None
    if not is_intercepted(failure, fault.page_title):
        return None
    title = f"Something on the way answers for {failure.host}: a page came in place of a token"
    return _explanation(failure, title, fault.page_title)


LOGIN_INTERCEPTED = FaultInfo(
    id="login-intercepted",
    group=Group.TOKEN,
    sides=(Side.NETWORK,),
    meaning="A page comes in place of a token: a captive portal or gateway.",
    distinguishing_evidence=(
        "The login host's TLS is trusted, and a page comes (its title is in the report), or a "
        "redirect to another host. A web server's own page, as of IIS without AD FS, is "
        "`login-not-json`, a failure of the service itself `login-server-error`. For the metadata "
        "it is `metadata-intercepted`, for resources `arm-intercepted`."
    ),
    az_says="a traceback: JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    patterns={NO_JSON: 34},
    remedies=(LET_PASS, AROUND_PROXY),
    rules=(_login_intercepted,),
)


def _arm_intercepted(failure: FailureContext) -> Explanation | None:
    fault = failure.fault
    if not isinstance(fault, ArmFault) or fault.code:
        return None
    if not is_intercepted(failure, fault.page_title):
        return None
    title = f"Something on the way answers for ARM: a page came in place of {fault.what}"
    return _explanation(failure, title, fault.page_title)


ARM_INTERCEPTED = FaultInfo(
    id="arm-intercepted",
    group=Group.RESOURCES,
    sides=(Side.NETWORK,),
    meaning="A page comes in place of ARM's answer: a captive portal or gateway.",
    distinguishing_evidence=(
        "Metadata and token came, and then a page (its title is in the report), or a redirect to "
        "another host. A page of the stamp's own web server is `arm-server-error` or "
        "`arm-not-json`. At the token it is `login-intercepted`."
    ),
    az_says=(
        "a traceback: DeserializationError: Unable to deserialize to object: type / JSON is "
        "invalid: Expecting value: line 1 column 1 (char 0) Content: <!DOCTYPE html> … / after a "
        "redirect, which az follows, the fault of that host"
    ),
    patterns={
        MessagePattern("ARM's answer is no list", r"unable to deserialize to object: type"): 70,
        MessagePattern(
            "ARM's answer is a page", r"json is invalid", also=r"<(?:!doctype|html)\b"
        ): 88,
    },
    remedies=(LET_PASS, AROUND_PROXY),
    rules=(_arm_intercepted,),
)
