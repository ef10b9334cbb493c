"""A client of the stamp on the standard library's TLS and HTTP, without the product."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from stacktui.stamp import IdentityProvider
from stacktui.stamp.running import RunningStamp

RESOURCES, SUBSCRIPTIONS = "2019-10-01", "2016-06-01"
SECONDS = 5.0


@dataclass(frozen=True)
class Answer:
    """A response with its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an ARM error."""
        return str(self.json()["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.json()["error"]["message"])


class Client:
    """Sends requests to one stamp, one connection each; `resolve` pins the names."""

    def __init__(self, stamp: RunningStamp, *, seconds: float = SECONDS) -> None:
        self.stamp = stamp
        self.seconds = seconds

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
    ) -> Answer:
        """Send one request; raises OSError, ssl.SSLError and http.client's errors."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        pinned = self.stamp.resolve.get(f"{host}:{port}", f"{host}:{port}")
        address, _, pinned_port = pinned.rpartition(":")
        connection = http.client.HTTPConnection(host, port, timeout=self.seconds)
        if parts.scheme != "http":
            # Without a context it loads the system's trust store, which is slow.
            context = ssl.create_default_context(cafile=self.stamp.ca_file)
            connection = http.client.HTTPSConnection(
                host, port, timeout=self.seconds, context=context
            )
            connection.sock = self._tls(context, address, int(pinned_port), host)
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def _tls(self, context: ssl.SSLContext, address: str, port: int, host: str) -> ssl.SSLSocket:
        raw = socket.create_connection((address, port), timeout=self.seconds)
        try:
            return context.wrap_socket(raw, server_hostname=host)
        except BaseException:
            raw.close()
            raise

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("GET", url, headers)

    def post(self, url: str, form: Mapping[str, str]) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", url, headers, urlencode(form))

    def metadata(self, version: str = "2015-01-01") -> Answer:
        return self.get(f"{self.stamp.arm_url}/metadata/endpoints?api-version={version}")

    @property
    def token_url(self) -> str:
        login = self.stamp.login_url.rstrip("/")
        if self.stamp.idp is IdentityProvider.ADFS:
            return f"{login}/oauth2/token"
        return f"{login}/{self.stamp.tenant}/oauth2/v2.0/token"

    def secret_form(self) -> dict[str, str]:
        """Return a client credentials request by secret that the stamp grants."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.stamp.client_id,
            "client_secret": self.stamp.secret,
            "scope": f"{self.stamp.identity_provider_audience}/.default",
        }

    def password_form(self) -> dict[str, str]:
        """Return a password request that the stamp grants."""
        return {
            "grant_type": "password",
            "client_id": self.stamp.public_client_id,
            "username": self.stamp.user,
            "password": self.stamp.password,
            "scope": f"openid profile {self.stamp.identity_provider_audience}/.default",
        }

    def token(self) -> str:
        """Return an access token for the service principal."""
        answer = self.post(self.token_url, self.secret_form())
        assert answer.status == 200, answer.body
        return str(answer.json()["access_token"])

    def arm(
        self,
        method: str,
        path: str,
        version: str = RESOURCES,
        *,
        token: str | None = None,
        body: object = None,
        query: str = "",
    ) -> Answer:
        """Send an ARM request; `{sub}` in `path` stands for the subscription's path."""
        sub = f"/subscriptions/{self.stamp.subscription_id}"
        url = self.stamp.arm_url + path.replace("{sub}", sub) + f"?api-version={version}{query}"
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        sent = None if body is None else json.dumps(body)
        return self.request(method, url, headers, sent)


def oauth_number(answer: Answer) -> str:
    """Return `AADSTS…` or `MSIS…` of an OAuth error; the error name when it has no number."""
    document = answer.json()
    head = str(document["error_description"]).split(":")[0]
    return head if head.startswith(("AADSTS", "MSIS")) else str(document["error"])


def walk(stamp: RunningStamp, seconds: float = SECONDS) -> str:
    """Run the three steps of a check and return the outcome as a line such as "token: …".

    A failed step is described by the error's type and number, or by status and code; success is
    "ok" and the number of groups.
    """
    client = Client(stamp, seconds=seconds)
    step = "metadata"
    try:
        answer = client.metadata()
        if answer.status != 200:
            return f"{step}: {answer.status} {answer.headers.get('retry-after', '')}".strip()
        sign_in = answer.json()["authentication"]
        if not sign_in["loginEndpoint"].startswith("https://"):
            return f"{step}: login endpoint {sign_in['loginEndpoint'].partition(':')[0]!r}"
        step = "token"
        with open(stamp.secret_file) as stream:
            form = {**client.secret_form(), "client_secret": stream.read()}
        answer = client.post(client.token_url, form)
        if answer.status != 200:
            return f"{step}: {answer.status} {oauth_number(answer)}"
        token = answer.json()["access_token"]
        step = "groups"
        answer = client.arm("GET", "/subscriptions", SUBSCRIPTIONS, token=token)
        if answer.status == 200 and not answer.json()["value"]:
            return f"{step}: no subscription"
        answer = client.arm("GET", "{sub}/resourcegroups", token=token)
        if answer.status != 200:
            retry = answer.headers.get("retry-after", "")
            return f"{step}: {answer.status} {answer.code} {retry}".strip()
        link = answer.json().get("nextLink", "")
        return f"ok {len(answer.json()['value'])}" + (f" then {link}" if link else "")
    except ssl.SSLCertVerificationError as error:
        return f"{step}: certificate {error.verify_code}"
    except ssl.SSLError as error:
        return f"{step}: TLS {error.reason}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{step}: {type(error).__name__}"
