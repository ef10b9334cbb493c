"""What a fault can change: the shape of an entry of the fault table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from typing import Any

from stacktui.stamp.answers import Change
from stacktui.stamp.directory import Directory
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.signin.devices import LIFETIME
from stacktui.stamp.signin.refusals import Reason


class Area(Enum):
    """Groups of routes that a fault can be put on."""

    METADATA = auto()
    DISCOVERY = auto()
    DEVICE_CODE = auto()
    TOKEN = auto()
    SUBSCRIPTIONS = auto()
    GROUP_LIST = auto()
    ARM = auto()
    IMDS = auto()
    PAGES = auto()


class Wire(Enum):
    """What a connection to the TLS port meets before any HTTP."""

    TLS = auto()
    NOBODY = auto()
    """Nothing listens."""
    RESET = auto()
    """Accepted, then reset."""
    SILENCE = auto()
    """Accepted, then never a byte."""
    PLAIN_HTTP = auto()
    """HTTP without TLS."""
    LOST = auto()
    """Whoever connects hears nothing at all: on Linux, elsewhere as NOBODY."""


class SignInBy(Enum):
    """What a client signs in by."""

    SECRET = auto()
    CERTIFICATE = auto()
    PASSWORD = auto()
    DEVICE_CODE = auto()
    MANAGED_IDENTITY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """How the served chain is made. Times are relative to the start of the stamp."""

    starts: timedelta = timedelta(days=-1)
    ends: timedelta = timedelta(days=365)
    names: tuple[str, ...] | None = None
    """Names in the leaf instead of the stamp's."""
    root: str = "AzureStackSelfSignedRootCert"
    self_signed: bool = False
    sends_intermediate: bool = True
    trusted: bool = True
    """False: the CA file handed to clients holds another root."""
    weak_key: bool = False
    """The leaf's key is RSA of 1024 bits."""
    server_only: bool = False
    """The leaf's extended key usage lacks client authentication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One entry. Every field but `summary` leaves things as they are unless it is set.

    `at` and `change` alter the answers of the routes in one area; `knows` alters what the services
    know after values were handed to the client; `claims` alters the claims of access tokens;
    `hands` and `files` alter what the client is handed (a value by its attribute, a file by its
    name: other content, or None to remove it); `refuses` is what the token service says to all;
    `denies` are ARM actions refused to all. `code_lifetime` is for how long device codes are good,
    in seconds, and `declines` says that the user declines each. `imds_listens` is false where
    nothing listens on the port of the instance metadata service. `met_by` is how a client must sign
    in to meet the fault.
    """

    summary: str
    wire: Wire = Wire.TLS
    chain: Chain = Chain()
    at: Area | None = None
    change: Change | None = None
    knows: Callable[[Directory], Directory] | None = None
    claims: Callable[[dict[str, Any]], None] | None = None
    hands: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    refuses: Reason | None = None
    denies: frozenset[str] = frozenset()
    build: str | None = None
    clock: timedelta = timedelta()
    code_lifetime: int = LIFETIME
    declines: bool = False
    imds_listens: bool = True
    only: IdentityProvider | None = None
    """The one sign-in service that has such a fault, or tells it from others."""
    second: bool = False
    """Met from the second check on."""
    proxy: bytes | None = None
    """What the proxy that clients are handed says to all; nobody listens there if it is empty."""
    met_by: SignInBy = SignInBy.SECRET


NO_FAULT = Fault(summary="nothing is wrong")
