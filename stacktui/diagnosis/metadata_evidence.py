"""What faults of the metadata share: the fault, the answer as evidence, and whom to give it to."""

from __future__ import annotations

import re

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.formatting import header_lines, request_lines
from stacktui.diagnosis.remedies import fetching
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.environments.metadata import MetadataFault, MetadataProblem, metadata_url

# How az begins where it cannot read the metadata.
AZ = "Unable to get endpoints from the cloud. "
# ARM also quotes the id by which its logs know a failure.
_ID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_ID_HEADERS = ("x-ms-request-id", "x-ms-correlation-request-id")


def metadata_fault(failure: FailureContext, *problems: MetadataProblem) -> MetadataFault | None:
    """The fault, if it is the metadata's and one of `problems`."""
    fault = failure.fault
    return fault if isinstance(fault, MetadataFault) and fault.problem in problems else None


def answer_lines(failure: FailureContext) -> list[str]:
    """The request, who answered it, and the ids by which the operator finds it."""
    return request_lines(failure) + header_lines(failure, "server", "via", *_ID_HEADERS)


def fetching_metadata(title: str, version: str = "2015-01-01") -> RemedyTemplate:
    """Ask for the metadata; `version` is what the catalogue shows. Filled by `fill_fetching`."""
    return fetching(title, metadata_url("https://HOST", version))


def reporting_to_operator(what: str) -> RemedyTemplate:
    """Report to the stamp's operator what is wrong; filled with `request_ids`."""
    return RemedyTemplate(
        f"{what}; give the stamp's operator the time {{ids}}",
        shown={"ids": "and the request id"},
    )


def request_ids(failure: FailureContext) -> str:
    """The ids by which the operator finds the request, as `reporting_to_operator` names them."""
    response = failure.last.response if failure.last else None
    headers = ((name, response.header(name) if response else None) for name in _ID_HEADERS)
    found = [f"{name} {value}" for name, value in headers if value]
    message = failure.fault.message if isinstance(failure.fault, MetadataFault) else ""
    quoted = _ID.search(message)
    if quoted and not found:
        found = [f"the id in its words: {quoted[0]}"]
    return f"and the request id ({' and '.join(found)})" if found else "(no request id was given)"
