"""The secrets that pass between clients and stamps of this process, and a search for them."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from stacktui.stamp import new_directory
from stacktui.stamp.connection import HttpService
from stacktui.stamp.messages import Request, Response, json_response
from stacktui.stamp.running import RunningStamp

# What a client sends and what it is given (RFC 6749, RFC 7521, RFC 8628).
SENT = ("client_secret", "client_assertion", "password", "refresh_token", "device_code", "code")
GIVEN = ("access_token", "refresh_token", "id_token", "device_code", "client_info")
# Of a part with fewer characters, a search finds what is there by chance.
SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Received:
    """A request as a stamp's service has it: where it came, and the secrets that it brought."""

    host: str
    path: str
    bearer: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


@dataclass
class KnownSecrets:
    """Every secret that was seen, and the requests of all stamps."""

    values: set[str] = field(default_factory=set)
    received: list[Received] = field(default_factory=list)
    echoing: str = ""
    """`login` or `arm`, to repeat there what was sent, each time encoded otherwise."""

    def add(self, *values: str) -> None:
        self.values |= {value for value in values if len(value) >= SHORTEST}

    def add_file(self, path: str | Path) -> None:
        """Add a file's content: a few lines of a private key, or all of it in base64."""
        content = Path(path).read_bytes()
        if b"-----BEGIN" not in content:
            self.add(base64.b64encode(content).decode())
            return
        key = content.decode().partition("PRIVATE KEY-----")[2].partition("-----END")[0]
        self.add(*key.split()[:4])

    def add_stamp(self, stamp: RunningStamp) -> None:
        self.add(stamp.secret, stamp.password)
        self.add_file(stamp.certificate_file)

    def saw(self, request: Request, response: Response) -> Response:
        """Note a request's secrets and those of its answer; return what is answered."""
        form = request.form() if request.method == "POST" else {}
        scheme, _, authorization = request.headers.get("authorization", "").partition(" ")
        bearer = authorization if scheme.lower() == "bearer" else ""
        secrets = (*filter(None, map(form.get, SENT)), *({authorization} - {bearer, ""}))
        self.add(bearer, *secrets)
        host = request.headers.get("host", "")
        self.received.append(Received(host, request.path, bearer, secrets))
        to_repeat = {"login": secrets, "arm": (bearer,) if bearer else ()}.get(self.echoing, ())
        if to_repeat:
            ways = sorted(each for value in to_repeat for each in encodings(value))
            said = ways[len(self.received) % len(ways)]
            return json_response(
                403,
                {"error": {"code": "AuthorizationFailed", "message": said}}
                if bearer
                else {"error": "invalid_client", "error_description": f"AADSTS7000215: {said}"},
            )
        with suppress(ValueError):
            given = json.loads(response.body)
            if isinstance(given, dict):
                self.add(*(str(given.get(name, "")) for name in GIVEN))
        return response

    def found_in(self, text: str) -> list[str]:
        """Return the encodings of halves of secrets that are in `text`."""
        return [each for value in self.values for each in encodings(value) if each in text]


@cache
def encodings(secret: str) -> frozenset[str]:
    """Return the halves of a secret as they are written in JSON, HTML, URLs, hex and base64."""
    middle, found = len(secret) // 2, set[str]()
    halves = (secret[:middle], secret[middle:]) if middle >= SHORTEST else (secret,)
    for part in halves:  # where the whole is, they are
        found |= {part, json.dumps(part)[1:-1], html.escape(part), repr(part)[1:-1]}
        found |= {quote(part, safe=""), quote(part), quote_plus(part), quote(part, safe="").lower()}
        found |= {part.encode().hex(), part[::-1], *_in_base64(part)}
    return frozenset(found)


def _in_base64(part: str) -> Iterator[str]:
    """Whatever precedes it: the characters that depend on its own bytes alone."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + part.encode()).decode().rstrip("=")
        inner = whole[-(-before * 8 // 6) : -1]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))


def kept_files(*folders: Path, but: Iterable[str | Path] = ()) -> Iterator[tuple[Path, str]]:
    """The content of the files in folders, without those that hold a secret by their purpose."""
    left_out = {Path(each).resolve() for each in but}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and path.resolve() not in left_out:
                yield path, path.read_bytes().decode(errors="replace")


@contextmanager
def watched_stamps() -> Iterator[KnownSecrets]:
    """Watch what the stamps of this process are sent and answer. Their secrets have characters
    that every encoding changes."""
    known = KnownSecrets()
    carry_out, make_secret = HttpService._carry_out, new_directory.make_secret

    def carried_out(self: HttpService, request: Request) -> Response:
        return known.saw(request, carry_out(self, request))

    def with_signs() -> str:
        made = make_secret()
        return f'{made[:16]}/ü+"=&%<{made[16:32]}'

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HttpService, "_carry_out", carried_out)
        patch.setattr(new_directory, "make_secret", with_signs)
        yield known
