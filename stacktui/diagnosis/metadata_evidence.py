"""What metadata faults share: the fault, its evidence, and the report to the operator."""

from __future__ import annotations

import re

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.formatting import header_lines, request_lines
from stacktui.diagnosis.remedies import fetching
from stacktui.diagnosis.remedy_template import RemedyTemplate
from stacktui.environments.metadata import MetadataFault, MetadataProblem, metadata_url

# ARM's message may also quote the id that its logs have.
_ID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_ID_HEADERS = ("x-ms-request-id", "x-ms-correlation-request-id")


def metadata_fault(failure: FailureContext, *problems: MetadataProblem) -> MetadataFault | None:
    """Return the fault if it is a metadata fault with one of `problems`, else None."""
    fault = failure.fault
    return fault if isinstance(fault, MetadataFault) and fault.problem in problems else None


def answer_lines(failure: FailureContext) -> list[str]:
    """Return the request, the server's headers, and the request ids."""
    return request_lines(failure) + header_lines(failure, "server", "via", *_ID_HEADERS)


def fetching_metadata(title: str, version: str = "2015-01-01") -> RemedyTemplate:
    """Return a remedy that fetches the metadata; the catalogue shows `version`."""
    return fetching(title, metadata_url("https://HOST", version))


def reporting_to_operator(what: str) -> RemedyTemplate:
    """Return a remedy that reports `what` to the stamp's operator; filled with `request_ids`."""
    return RemedyTemplate(
        f"{what}; give the stamp's operator the time {{ids}}", shown={"ids": "and the request id"}
    )


def request_ids(failure: FailureContext) -> str:
    """Return the request ids as text for `reporting_to_operator`."""
    response = failure.last.response if failure.last else None
    headers = ((name, response.header(name) if response else None) for name in _ID_HEADERS)
    found = [f"{name} {value}" for name, value in headers if value]
    message = failure.fault.message if isinstance(failure.fault, MetadataFault) else ""
    quoted = _ID.search(message)
    if quoted and not found:
        found = [f"the id in its words: {quoted[0]}"]
    return f"and the request id ({' and '.join(found)})" if found else "(no request id was given)"
