"""Faults of the metadata endpoint's responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from stacktui.stamp.faults import overrides
from stacktui.stamp.faults.model import Fault, FaultyEndpoint
from stacktui.stamp.faults.overrides import ResponseOverride
from stacktui.stamp.messages import Delivery

ABSENT_LOGIN = "https://login.azurestack.invalid"


def _metadata(summary: str, override: ResponseOverride, **more: Any) -> Fault:
    return Fault(summary, endpoint=FaultyEndpoint.METADATA, override=override, **more)


def _authentication(edit: Callable[[str], dict[str, Any]]) -> ResponseOverride:
    """Update `authentication` with what `edit` makes of the login endpoint's URL."""

    def update(document: Any, *_: object) -> None:
        for cloud in document if isinstance(document, list) else [document]:
            section = cloud["authentication"]
            section.update(edit(section["loginEndpoint"]))

    return overrides.edit_json(update)


_OTHER_LOGIN = _authentication(lambda url: {"loginEndpoint": f"{ABSENT_LOGIN}{urlsplit(url).path}"})

FAULTS: dict[str, Fault] = {
    "metadata-server-error": _metadata(
        "metadata answers 500",
        overrides.arm_error(
            500, "InternalServerError", "Encountered internal server error. Id: '{tracking}'."
        ),
    ),
    "metadata-unavailable": _metadata(
        "metadata answers 503 with Retry-After",
        overrides.arm_error(
            503, "ServiceUnavailable", "The service is unavailable.", {"Retry-After": "120"}
        ),
    ),
    "metadata-intercepted": _metadata(
        "metadata answers 200 with a captive portal's page",
        overrides.html(
            "Guest Network Sign-in", "Accept the terms of use to get access to this network."
        ),
    ),
    "metadata-not-json": _metadata(
        "metadata answers JSON cut after 60 bytes", overrides.truncate(60)
    ),
    "metadata-incomplete": _metadata(
        "login endpoint and audience are blank",
        _authentication(lambda _url: {"loginEndpoint": "", "audiences": [""]}),
    ),
    "metadata-too-large": _metadata("metadata answers 4 MiB", overrides.pad(4 << 20)),
    "metadata-timeout": _metadata("metadata never answers", overrides.deliver(Delivery.NEVER)),
    "metadata-api-version": _metadata(
        "metadata refuses every api-version but 1.0",
        overrides.arm_error(
            400,
            "InvalidApiVersionParameter",
            "The api-version is invalid. The supported versions are '1.0'.",
        ),
    ),
    "metadata-drift": _metadata(
        "from the second time on, metadata names another login host",
        overrides.from_second_request(_OTHER_LOGIN),
        from_second_check=True,
    ),
    "metadata-reset": _metadata(
        "the connection is closed where metadata should come", overrides.deliver(Delivery.CLOSED)
    ),
    "login-endpoint-insecure": _metadata(
        "the login endpoint is http:",
        _authentication(lambda url: {"loginEndpoint": url.replace("https:", "http:", 1)}),
    ),
    "login-unreachable": _metadata("the login host does not exist", _OTHER_LOGIN),
}
