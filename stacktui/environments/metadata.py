"""The metadata document, `GET <ARM>/metadata/endpoints` (PROTOCOL.md section 1)."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from stacktui.environments.model import CloudKey, parse_arm_url
from stacktui.environments.naming import suffixes
from stacktui.environments.public_resources import is_public_resource
from stacktui.errors import FaultError
from stacktui.text.html_page import looks_like_html, page_title
from stacktui.text.json_fields import items, mapping, text
from stacktui.text.sanitize import Redactor
from stacktui.transport.json_body import JsonError, is_valid_utf8, parse_json

PATH = "/metadata/endpoints"
# In the order of use. `az` 2.66 sends the first, so that the verdict is on the same request.
API_VERSIONS = ("2015-01-01", "2019-10-01")


class IdentityProvider(StrEnum):
    """Who signs users in for a stamp."""

    ENTRA = "AAD"
    ADFS = "ADFS"


class DocumentTrait(StrEnum):
    """What a metadata document has that some clients fail at, and we do not."""

    BYTE_ORDER_MARK = "byte-order-mark"
    LIST = "list"
    NO_GRAPH = "no-graph"


@dataclass(frozen=True, slots=True)
class Metadata:
    """A stamp's metadata; text is sanitised, except `login_endpoint` and `audience`.

    `login_endpoint` has no trailing slash; `login_as_given` is as the document has it. `audience`
    is opaque and kept byte for byte. The suffixes are the document's or, where it has none, those
    of the naming rule, and then `derived` names them. `traits` are of the document itself.
    """

    api_version: str
    login_endpoint: str
    audience: str
    identity_provider: IdentityProvider
    tenant: str | None = None
    graph: str | None = None
    portal: str | None = None
    gallery: str | None = None
    storage_suffix: str | None = None
    keyvault_suffix: str | None = None
    login_as_given: str = field(default="", compare=False)
    derived: frozenset[CloudKey] = field(default=frozenset(), compare=False)
    traits: frozenset[DocumentTrait] = field(default=frozenset(), compare=False)


class MetadataProblem(StrEnum):
    """What can be wrong with a metadata response."""

    STATUS = "status"
    REDIRECT = "redirect"
    HTML = "html"
    NOT_JSON = "not-json"
    INCOMPLETE = "incomplete"
    API_VERSION = "api-version"
    LOGIN_INSECURE = "login-insecure"
    AUDIENCE_FOREIGN = "audience-foreign"


@dataclass(frozen=True, slots=True)
class MetadataFault:
    """Why a response is no usable metadata.

    `field` is the key at fault (INCOMPLETE, LOGIN_INSECURE, AUDIENCE_FOREIGN). `position` is the
    character at which parsing stopped (NOT_JSON). `page_title` and `location` show what responded
    instead (HTML, REDIRECT). `code` and `message` are ARM's (STATUS, API_VERSION). `versions` are
    the api-versions that were tried.
    """

    problem: MetadataProblem
    detail: str
    status: int
    field: str | None = None
    position: int | None = None
    page_title: str | None = None
    location: str | None = None
    code: str = ""
    message: str = ""
    versions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.detail


class MetadataError(FaultError[MetadataFault]):
    """A response is no usable metadata."""


def metadata_url(arm: str, api_version: str) -> str:
    return f"{arm}{PATH}?api-version={api_version}"


def parse_metadata(
    body: bytes,
    arm: str,
    api_version: str,
    redactor: Redactor,
    own: Mapping[CloudKey, str] = MappingProxyType({}),
) -> Metadata:
    """Parse a metadata response of either shape. Raises MetadataError.

    `own` are values of the user's that replace the document's.
    """
    document = _load(body, redactor)
    found = _select(document, arm)
    authentication = found.get("authentication")
    if not isinstance(authentication, dict):
        raise _incomplete("authentication", authentication)
    login = own.get(CloudKey.LOGIN_ENDPOINT) or text(authentication, "loginEndpoint").strip()
    if not login:
        raise _incomplete("authentication.loginEndpoint", authentication.get("loginEndpoint"))
    parts = _split_login(login)
    named = own.get(CloudKey.AUDIENCE)
    audiences = [named] if named else items(authentication, "audiences")
    if not audiences:
        raise _incomplete("authentication.audiences", authentication.get("audiences"))
    audience = text(audiences[0])
    if not audience.strip():
        raise _incomplete("authentication.audiences[0]", audiences[0])
    if not is_valid_utf8(audience):
        field = "authentication.audiences[0]"
        detail = f"{field} holds half a character (a lone surrogate)"
        raise _error(MetadataProblem.INCOMPLETE, detail, field=field)
    host = urlsplit(arm).hostname or ""
    if is_public_resource(audience, host):
        field = "authentication.audiences[0]"
        shown = redactor.sanitize_untrusted(audience)
        detail = f"{field} is {shown}, a resource of Microsoft's public cloud"
        raise _error(MetadataProblem.AUDIENCE_FOREIGN, detail, field=field)

    def value(key: CloudKey, *paths: tuple[str, ...]) -> str | None:
        texts = (_optional(redactor, found, *path) for path in paths)
        return own.get(key) or next(filter(None, texts), None)

    storage = value(CloudKey.STORAGE_SUFFIX, ("suffixes", "storage"))
    keyvault = value(CloudKey.KEYVAULT_SUFFIX, ("suffixes", "keyVaultDns"))
    of_rule = suffixes(host)
    derived = {CloudKey.STORAGE_SUFFIX: storage, CloudKey.KEYVAULT_SUFFIX: keyvault}
    return Metadata(
        api_version=api_version,
        login_endpoint=login.rstrip("/"),
        audience=audience,
        identity_provider=provider_of(
            parts.path, declared=text(authentication, "identityProvider")
        ),
        tenant=_optional(redactor, found, "authentication", "tenant"),
        graph=value(CloudKey.GRAPH, ("graph",), ("graphEndpoint",)),
        portal=value(CloudKey.PORTAL, ("portal",), ("portalEndpoint",)),
        gallery=value(CloudKey.GALLERY, ("gallery",), ("galleryEndpoint",)),
        storage_suffix=storage or of_rule[0],
        keyvault_suffix=keyvault or of_rule[1],
        login_as_given=login,
        derived=frozenset(key for key, given in derived.items() if not given),
        traits=frozenset(_traits(body, document, found)),
    )


def _traits(body: bytes, document: Any, found: Mapping[str, Any]) -> Iterator[DocumentTrait]:
    if body.startswith(BOM_UTF8):
        yield DocumentTrait.BYTE_ORDER_MARK
    if isinstance(document, list):
        yield DocumentTrait.LIST
    if found.get("graphEndpoint", found.get("graph")) is None:
        yield DocumentTrait.NO_GRAPH


_TEXTS = ("tenant", "graph", "portal", "gallery")
_COMPARED = (
    "login_endpoint", "identity_provider", *_TEXTS, "storage_suffix", "keyvault_suffix"
)  # fmt: skip


def completed(metadata: Metadata, newer: Metadata) -> Metadata:
    """Return the metadata with what only its newer shape says: tenant, suffixes and some URLs."""
    found: dict[str, Any] = {
        name: getattr(metadata, name) or getattr(newer, name) for name in _TEXTS
    }
    said = metadata.derived - newer.derived
    found |= {key.value: getattr(newer, key) for key in said}
    return replace(metadata, derived=metadata.derived & newer.derived, **found)


def disagreements(one: Metadata, other: Metadata) -> Iterator[tuple[str, str, str]]:
    """Yield each value that two shapes have and that differs: its name, and both values.

    Not what follows from the naming rule, as the document of that shape does not say it.
    A trailing slash of a URL, the dot before a suffix and case make no difference, except in the
    audience, which is opaque.
    """
    for name in (*_COMPARED, "audience"):
        if name in one.derived or name in other.derived:
            continue
        first, second = (str(getattr(each, name) or "") for each in (one, other))
        plain = (lambda text: text) if name == "audience" else _plain
        if first and second and plain(first) != plain(second):
            yield name.replace("_", " "), first, second


def _plain(text: str) -> str:
    return text.strip("./").lower()


def _load(body: bytes, redactor: Redactor) -> Any:
    if looks_like_html(body):
        title = page_title(body, redactor)
        raise _error(MetadataProblem.HTML, "the answer is an HTML page", page_title=title)
    try:
        return parse_json(body)
    except JsonError as error:
        raise _error(MetadataProblem.NOT_JSON, str(error), position=error.position) from None


def _select(document: Any, arm: str) -> Mapping[str, Any]:
    """Return the cloud that is this stamp: the object itself, or the list's entry for `arm`.

    A single entry is taken to be this stamp, whatever its endpoint. Of several, only one with our
    endpoint may name the login host, to which a secret is sent.
    """
    if isinstance(document, dict):
        return document
    clouds = list(filter(None, map(mapping, items(document))))
    if not clouds:
        raise _incomplete("authentication", None)
    ours = [each for each in clouds if _origin(text(each, "resourceManager")) == arm]
    if not ours and len(clouds) > 1:
        detail = f"none of the {len(clouds)} clouds listed is this stamp"
        raise _error(MetadataProblem.INCOMPLETE, detail, field="resourceManager")
    return (ours or clouds)[0]


def _origin(url: str) -> str:
    try:
        return parse_arm_url(url)
    except ValueError:
        return ""


def _split_login(login: str) -> Any:
    try:
        parts = urlsplit(login)
        _ = parts.port, login.encode()
    except ValueError:
        raise _no_login("is a broken URL") from None
    if "@" in parts.netloc:
        raise _no_login("holds a user name or password, so it is not used")
    if parts.scheme == "http":
        detail = "the login endpoint is http:, so secrets would travel in the clear"
        raise _error(MetadataProblem.LOGIN_INSECURE, detail, field="authentication.loginEndpoint")
    if parts.scheme != "https" or not parts.hostname:
        raise _no_login("is no https: URL")
    return parts


def _no_login(what: str) -> MetadataError:
    field = "authentication.loginEndpoint"
    return _error(MetadataProblem.INCOMPLETE, f"{field} {what}", field=field)


def provider_of(login: str, declared: str = "") -> IdentityProvider:
    """Return who signs in, by the login endpoint or its path, and what the metadata declares."""
    if declared.upper() == "ADFS" or login.rstrip("/").lower().endswith("/adfs"):
        return IdentityProvider.ADFS
    return IdentityProvider.ENTRA


def _optional(redactor: Redactor, found: Mapping[str, Any], *path: str) -> str | None:
    return redactor.sanitize(text(found, *path).strip(), 200) or None


def _incomplete(field: str, value: object) -> MetadataError:
    match value:
        case None:
            what = "is missing"
        case str() if not value.strip():
            what = "is blank"
        case []:
            what = "is empty"
        case _:
            what = f"has the wrong type ({type(value).__name__})"
    return _error(MetadataProblem.INCOMPLETE, f"{field} {what}", field=field)


def _error(problem: MetadataProblem, detail: str, **values: Any) -> MetadataError:
    return MetadataError(MetadataFault(problem, detail, status=200, **values))
