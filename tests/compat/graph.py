"""Microsoft Graph, as far as remedies ask it: one application and one user of a stamp's directory.

Bodies and statuses are those of Graph's reference, v1.0. A request needs a token for Graph.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from stacktui.stamp.new_directory import MICROSOFT_GRAPH, PORTAL_API
from stacktui.stamp.running import RunningStamp
from tests.support.authority import authority
from tests.support.web import Asked, Raw, answer, serving

# `az ad app permission admin-consent` sends the consent where the portal does.
AUDIENCES = {
    "graph.microsoft.com": MICROSOFT_GRAPH,
    "main.iam.ad.ext.azure.com": PORTAL_API,
}
VERSION = "/v1.0"


@dataclass
class Graph:
    """The objects; `written` has method, path and body of each change."""

    stamp: RunningStamp
    written: list[tuple[str, str, Any]] = field(default_factory=list)
    account_enabled: bool = False

    @property
    def application(self) -> dict[str, Any]:
        secret = {"displayName": "rbac", "endDateTime": "2027-01-31T00:00:00Z", "keyId": "0"}
        return {
            "id": self.stamp.object_id, "appId": self.stamp.client_id, "displayName": "ops",
            "passwordCredentials": [secret], "keyCredentials": [],
        }  # fmt: skip

    @property
    def user(self) -> dict[str, Any]:
        return {"userPrincipalName": self.stamp.user, "accountEnabled": self.account_enabled}

    def answer(self, asked: Asked) -> Raw:
        parts = urlsplit(asked.target)
        path, query = unquote(parts.path), unquote(parts.query.replace("+", " "))
        body = json.loads(asked.body) if asked.body else None
        if asked.method != "GET":
            self.written.append((asked.method, path, body))
        expected = AUDIENCES[asked.headers["host"]]
        if _audience(asked.headers.get("authorization", "")) != expected.rstrip("/"):
            return _error("401 Unauthorized", "InvalidAuthenticationToken")
        if expected is PORTAL_API:
            return answer(status="204 No Content")
        kind, _, name = path.removeprefix(f"{VERSION}/").partition("/")
        match asked.method, kind, name:
            case "GET", "applications" | "servicePrincipals", "":
                found = [self.application] if f"'{self.stamp.client_id}'" in query else []
                return _json({"value": found})
            case "GET", "applications" | "servicePrincipals", self.stamp.object_id:
                return _json(self.application)
            case "GET", "users", self.stamp.user:
                return _json(self.user)
            case "PATCH", "applications" | "servicePrincipals", self.stamp.object_id:
                return answer(status="204 No Content")
            case "PATCH", "users", self.stamp.user:
                self.account_enabled = body["accountEnabled"]
                return answer(status="204 No Content")
            case "POST", "applications", _ if name == f"{self.stamp.object_id}/addPassword":
                return _json({"secretText": "made-by-graph", "keyId": "1", "displayName": "x"})
        return _error("404 Not Found", "Request_ResourceNotFound")


def _audience(authorization: str) -> str:
    """Return the audience of a bearer token, without a slash at its end."""
    claims = authorization.removeprefix("Bearer ").split(".")[1:2]
    padded = (claims or [""])[0] + "=="
    return str(json.loads(base64.urlsafe_b64decode(padded) or b"{}").get("aud", "")).rstrip("/")


def _json(document: object, status: str = "200 OK") -> Raw:
    return answer(json.dumps(document).encode(), status=status, Content_Type="application/json")


def _error(status: str, code: str) -> Raw:
    return _json({"error": {"code": code, "message": code}}, status)


@asynccontextmanager
async def microsoft_graph(stamp: RunningStamp) -> AsyncIterator[tuple[Graph, dict[str, str]]]:
    """Serve it; yield it and its pins. Its certificate is of the tests' own `authority`."""
    graph = Graph(stamp)
    leaf = authority().leaf(*AUDIENCES)
    async with serving(graph.answer, context=authority().server(leaf)) as web:
        there = f"127.0.0.1:{urlsplit(web.url).port}"
        yield graph, {f"{host}:443": there for host in AUDIENCES}
