"""Faults in the content of the stamp's metadata, and ARM's errors in place of metadata."""

from __future__ import annotations

import re

from stacktui.diagnosis.az_messages import AZ_ENDPOINTS
from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.formatting import body_lines
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.messages.metadata import METADATA_400, SOMETHING_MISSING
from stacktui.diagnosis.messages.sign_in import LOGIN_ENDPOINT_NO_HTTPS
from stacktui.diagnosis.metadata_evidence import answer_lines, fetching_metadata, metadata_fault
from stacktui.diagnosis.remedies import fill_fetching
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.environments.metadata import MetadataProblem, metadata_url

# An api-version as ARM lists them: a date, or the oldest of all.
_VERSION = re.compile(r"\b(?:20\d\d-\d\d-\d\d(?:-[a-z]+)?|1\.0)\b")


# metadata-api-version

_TRY_VERSION = fetching_metadata("See whether it answers to api-version {version}", "VERSION")
_WHICH_BUILD = RemedyTemplate(
    "The stamp's operator must say which build this is: every known one serves metadata by one "
    "of the versions tried"
)


def _metadata_api_version(failure: FailureContext) -> Explanation | None:
    fault = metadata_fault(failure, MetadataProblem.API_VERSION)
    if fault is None:
        return None
    listed = dict.fromkeys(_VERSION.findall(fault.message))
    named = [each for each in listed if each not in fault.versions]
    evidence = [
        f"api-versions tried: {', '.join(fault.versions) or 'unknown'}; none of them worked",
        f"ARM says {fault.code}: {fault.message}",
    ]
    if named:
        evidence.append(f"api-versions it names: {', '.join(named)}")
    evidence += answer_lines(failure)
    version = named[-1] if named else "1.0"
    url = metadata_url(failure.environment.arm, version)
    remedies = (fill_fetching(_TRY_VERSION, failure, url, version=version), _WHICH_BUILD.fill())
    title = "The stamp serves its metadata by another api-version only"
    return Explanation(title, tuple(evidence), remedies)


METADATA_API_VERSION = FaultInfo(
    id="metadata-api-version",
    group=Group.METADATA,
    sides=(Side.STAMP,),
    meaning="The stamp serves its metadata by another api-version only.",
    distinguishing_evidence=(
        "ARM refuses every version that was tried, in its own words (400); the report lists them "
        "and those that it names. For resources the same is `api-version-unsupported`."
    ),
    az_says=(
        AZ_ENDPOINTS + "Server returned status code 400 for "
        "https://…/metadata/endpoints?api-version=2015-01-01"
    ),
    patterns={
        METADATA_400: 75,
        MessagePattern(
            "ARM knows another api-version of its metadata",
            r"/metadata/endpoints",
            also=r"invalidapiversionparameter",
        ): 195,
    },
    remedies=(_TRY_VERSION, _WHICH_BUILD),
    rules=(_metadata_api_version,),
)


# metadata-incomplete

_SEE_FIELD = fetching_metadata("See the whole answer: {field} is what is wrong in it")
_CORRECT_IDENTITY = RemedyTemplate(
    "If this is an ARM endpoint of a stamp, its operator must correct its identity "
    "configuration; else set the stamp's own: arm under {section}"
)


def _metadata_incomplete(failure: FailureContext) -> Explanation | None:
    fault = metadata_fault(failure, MetadataProblem.INCOMPLETE)
    if fault is None:
        return None
    evidence = (fault.detail, *answer_lines(failure), *body_lines(failure))
    remedies = (
        fill_fetching(_SEE_FIELD, failure, field=fault.field or "its sign-in data"),
        _CORRECT_IDENTITY.fill(section=failure.section),
    )
    what = fault.field or "sign-in data"
    title = f"The stamp's metadata does not say how to sign in: {what}"
    return Explanation(title, evidence, remedies)


METADATA_INCOMPLETE = FaultInfo(
    id="metadata-incomplete",
    group=Group.METADATA,
    sides=(Side.STAMP,),
    meaning="The metadata does not say how to sign in.",
    distinguishing_evidence=(
        "It is whole JSON, and the report names the field that is missing, blank, of the wrong "
        "type, or a URL with a user name or password. A list where az wants an object is no fault "
        "of the stamp's: `az-too-new`."
    ),
    az_says=(
        "a traceback where authentication is missing or null (AttributeError, KeyError or "
        "TypeError); blank values are registered, and az login fails later"
    ),
    patterns={
        MessagePattern(
            "the metadata has no sign-in data",
            r"keyerror: ['\"](?:authentication|loginendpoint|audiences|\w{1,20}endpoint|suffixes)"
            r"|no active directory endpoint specified",
        ): 90,
        SOMETHING_MISSING: 52,
        MessagePattern(
            "az takes the metadata apart, and finds something else than it expects",
            r"metadata\.get\(|metadata\['authentication",
            also=r"object (?:has no attribute|is not)|list index out of range|keyerror",
        ): 92,
        MessagePattern("the login endpoint is blank", r"your given address \((?!http)"): 180,
        LOGIN_ENDPOINT_NO_HTTPS: 60,
    },
    remedies=(_SEE_FIELD, _CORRECT_IDENTITY),
    rules=(_metadata_incomplete,),
)


# audience-foreign

_ASK_AUDIENCE = RemedyTemplate(
    "Ask the stamp's operator which audience its identity configuration has: a stamp's own is one "
    "that nothing else takes tokens for"
)
_SIGN_IN_NOWHERE = RemedyTemplate(
    "Sign in nowhere until then: if the operator knows nothing of it, somebody on the way, or on "
    "the stamp, collects tokens"
)


def _audience_foreign(failure: FailureContext) -> Explanation | None:
    fault = metadata_fault(failure, MetadataProblem.AUDIENCE_FOREIGN)
    if fault is None:
        return None
    evidence = (
        fault.detail,
        f"{failure.environment.arm} would be given the token, and could use it there in your name",
        "no token was asked for, and no secret was sent",
        *answer_lines(failure),
    )
    title = "The stamp asks for a token of Microsoft's public cloud"
    return Explanation(title, evidence, (_ASK_AUDIENCE.fill(), _SIGN_IN_NOWHERE.fill()))


AUDIENCE_FOREIGN = FaultInfo(
    id="audience-foreign",
    group=Group.METADATA,
    sides=(Side.STAMP,),
    meaning="The stamp asks for a token of Microsoft's public cloud, which it is not given.",
    distinguishing_evidence=(
        "The metadata names a public resource as its audience (a vault, Graph, storage, the "
        "public ARM); the report has it. A token for it would open that resource to whoever "
        "answers as the stamp. Another audience than the recorded one is `metadata-drift`."
    ),
    az_says="nothing: it asks for that token, and gives it to the stamp",
    remedies=(_ASK_AUDIENCE, _SIGN_IN_NOWHERE),
    rules=(_audience_foreign,),
)


# login-endpoint-insecure

_SEE_ENDPOINT = fetching_metadata(
    "See it with your own eyes: authentication.loginEndpoint begins with http:"
)
_SERVE_HTTPS = RemedyTemplate(
    "The stamp's operator must give its metadata an https: login endpoint. Until then sign in "
    "nowhere: a secret sent there can be read by anybody on the way"
)


def _login_endpoint_insecure(failure: FailureContext) -> Explanation | None:
    fault = metadata_fault(failure, MetadataProblem.LOGIN_INSECURE)
    if fault is None:
        return None
    evidence = (
        fault.detail,
        "refused: nothing was sent there",
        *answer_lines(failure),
        *body_lines(failure),
    )
    title = "The stamp names a login endpoint that is plain http:, which stacktui refuses"
    remedies = (fill_fetching(_SEE_ENDPOINT, failure), _SERVE_HTTPS.fill())
    return Explanation(title, evidence, remedies)


LOGIN_ENDPOINT_INSECURE = FaultInfo(
    id="login-endpoint-insecure",
    group=Group.METADATA,
    sides=(Side.STAMP,),
    meaning="The stamp names a login endpoint that is plain http:, which is refused.",
    distinguishing_evidence=(
        "The metadata itself says so, in authentication.loginEndpoint; one that is missing or "
        "blank is `metadata-incomplete`."
    ),
    az_says=(
        "Your given address (http://…) should consist of an https url with a minimum of one "
        "segment in a path"
    ),
    patterns={
        MessagePattern("the login endpoint is plain http:", r"your given address \(http:"): 180,
        LOGIN_ENDPOINT_NO_HTTPS: 62,
    },
    remedies=(_SEE_ENDPOINT, _SERVE_HTTPS),
    rules=(_login_endpoint_insecure,),
)

FAULTS = (METADATA_API_VERSION, METADATA_INCOMPLETE, AUDIENCE_FOREIGN, LOGIN_ENDPOINT_INSECURE)
