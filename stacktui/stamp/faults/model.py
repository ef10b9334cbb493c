"""What a fault can change: the shape of an entry of the fault table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from typing import Any

from stacktui.stamp.directory import Directory
from stacktui.stamp.faults.overrides import ResponseOverride
from stacktui.stamp.health import HEALTHY, StampHealth
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.oauth_errors import Reason


class FaultyEndpoint(Enum):
    """Endpoints whose responses a fault can override."""

    METADATA = auto()
    TOKEN = auto()
    GROUP_LIST = auto()
    IMDS = auto()


class ConnectionFault(Enum):
    """What a connection to the TLS port meets before any HTTP."""

    NONE = auto()
    REFUSED = auto()
    """Nothing listens."""
    RESET = auto()
    """Accepted, then reset."""
    SILENT = auto()
    """Accepted, then never a byte."""
    PLAIN_HTTP = auto()
    """HTTP without TLS."""
    BLACKHOLE = auto()
    """Whoever connects hears nothing at all: on Linux, elsewhere as NOBODY."""


class SignInKind(Enum):
    """What a client signs in by."""

    SECRET = auto()
    CERTIFICATE = auto()
    PASSWORD = auto()
    DEVICE_CODE = auto()
    MANAGED_IDENTITY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSpec:
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
    san: bool = True
    """False: the leaf has its name in the CN alone."""
    no_client_auth: bool = False
    """The leaf's extended key usage lacks client authentication."""
    no_server_auth: bool = False
    """The leaf's extended key usage lacks server authentication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One entry of the fault table. Each field but `summary` has no effect at its default."""

    summary: str = field(kw_only=False)
    connection: ConnectionFault = ConnectionFault.NONE
    chain: ChainSpec = ChainSpec()
    endpoint: FaultyEndpoint | None = None
    override: ResponseOverride | None = None
    """Replaces the responses of `endpoint`."""
    server_overrides: Callable[[Directory], Directory] | None = None
    """Changes what the services know after the client got its values."""
    client_overrides: Mapping[str, Any] = field(default_factory=dict)
    """Values that the client gets instead, by attribute of RunningStamp."""
    client_files: Mapping[str, bytes | None] = field(default_factory=dict)
    """Content that the client's files get instead, by file name; None removes the file."""
    open_client_files: bool = False
    """Every user of the machine may read the client's files, if they may enter its temp folder."""
    edit_claims: Callable[[dict[str, Any]], None] | None = None
    """Changes the claims of access tokens in place."""
    token_error: Reason | None = None
    """Error that the token service returns to every request."""
    denied_actions: frozenset[str] = frozenset()
    """ARM actions that no caller may perform."""
    health: StampHealth = HEALTHY
    """What operators read of the stamp."""
    for_operators: bool = False
    """Met at the operator's endpoint alone."""
    build: str | None = None
    clock_offset: timedelta = timedelta()
    device_code_lifetime: int = 900
    """Seconds until a device code expires."""
    declines_device_codes: bool = False
    """The user declines every device code."""
    imds_listens: bool = True
    only_idp: IdentityProvider | None = None
    """The one identity provider that has this fault, or reports it as a distinct one."""
    from_second_check: bool = False
    """The first check after the start does not meet the fault."""
    proxy_response: bytes | None = None
    """Bytes with which the client's proxy answers every request; empty: the proxy is down."""
    sign_in_kind: SignInKind = SignInKind.SECRET
    """How a client must sign in to meet the fault."""


NO_FAULT = Fault("nothing is wrong")
