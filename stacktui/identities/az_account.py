"""The token of the account that `az` is signed in with, from `az` itself (PROTOCOL.md section 7).

A cloud that az does not know is never named to it: az would make another cloud the active one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from stacktui.azure_cli.child import Ended, run_az
from stacktui.azure_cli.cloud_file import AzClouds, AzFileError, read_clouds
from stacktui.azure_cli.launchers import launchers
from stacktui.azure_cli.presence import BUILT_IN_CLOUDS
from stacktui.environments.metadata import Metadata
from stacktui.environments.model import parse_arm_url
from stacktui.identities.faults import AzureCliFault, AzureCliProblem, IdentityError
from stacktui.identities.model import Identity
from stacktui.identities.refusal import TokenRequest, parse_token
from stacktui.identities.token import Token
from stacktui.text.json_fields import number, text
from stacktui.text.sanitize import Redactor, escape_control_chars
from stacktui.transport.background import in_background
from stacktui.transport.json_body import parse_object
from stacktui.transport.session import HttpSession

# What az says is cut after so many characters.
_MAX_ERROR = 4000
# Fraction of the step's limit that az may take, so that its own fault is reported.
_PATIENCE = 0.9
# az asks no host but the cloud's, says nothing but errors, and sends no telemetry.
_SETTINGS = {
    "AZURE_CORE_INSTANCE_DISCOVERY": "false",
    "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
    "AZURE_CORE_NO_COLOR": "true",
    "AZURE_CORE_COLLECT_TELEMETRY": "false",
}
# What az says where nobody is signed in, of the account or of the subscription.
_SIGN_IN = re.compile(r"az login|az account set|subscription '.*' not found", re.IGNORECASE)
_CODE = re.compile(r"\b(?:AADSTS|MSIS)\d{3,9}\b")
# az reads the file that a value with an @ names, and would send its content.
_NOT_PLAIN = ("@", "-")
_LOGIN = "endpoint_active_directory"


@dataclass(frozen=True, slots=True)
class _Account:
    """Which `az` to ask, for which of its clouds, and that cloud's subscription (may be empty)."""

    launcher: Path
    cloud: str
    subscription: str = ""


async def acquire_from_az(
    session: HttpSession, metadata: Metadata, identity: Identity, arm: str
) -> Token:
    """Return the token that az has for the audience of the stamp at `arm`. Raises IdentityError.

    az may sign in anew for it, at the login host that its cloud names: that of the metadata.
    """
    account = await in_background(lambda: _find(arm, metadata))
    seconds = session.limits.step * _PATIENCE
    values = {"--resource": metadata.audience}
    if identity.tenant:
        values["--tenant"] = identity.tenant
    elif account.subscription:
        # Else az takes its default one, which is that of another cloud where that was used last.
        values["--subscription"] = account.subscription
    for option, value in values.items():
        if value.startswith(_NOT_PLAIN):
            detail = f"it would not take {value} as a value of {option}, but as a file or an option"
            raise _error(AzureCliProblem.FAILED, detail, account)
    arguments = ["account", "get-access-token", "-o", "json", *chain.from_iterable(values.items())]
    try:
        settings = _SETTINGS | {"AZURE_CLOUD_NAME": account.cloud}
        ended = await run_az(account.launcher, arguments, settings, seconds)
    except TimeoutError:
        detail = f"it did not end within {seconds:g} s"
        raise _error(AzureCliProblem.TIMEOUT, detail, account) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        detail = f"it cannot be run ({why or type(error).__name__})"
        raise _error(AzureCliProblem.FAILED, detail, account) from None
    return _token(ended, account, metadata, session.redactor)


def _find(arm: str, metadata: Metadata) -> _Account:
    """Return the account to ask for. Blocks on disk. Raises IdentityError."""
    found = launchers()
    if not found:
        raise _error(AzureCliProblem.NOT_INSTALLED, "no az is on PATH, nor where installers put it")
    if built_in := BUILT_IN_CLOUDS.get(urlsplit(arm).hostname or ""):
        return _Account(found[0], built_in)
    try:
        clouds = read_clouds()
    except AzFileError as error:
        raise _error(AzureCliProblem.NO_CLOUD, str(error), _Account(found[0], "")) from None
    name = _cloud_of(arm, clouds)
    account = _Account(found[0], name or "")
    if name is None:
        detail = f"none of its clouds has the ARM endpoint {arm}"
        raise _error(AzureCliProblem.NO_CLOUD, detail, account)
    options = clouds.registered[name]
    login, audience = (options.get(option, "") for option in (_LOGIN, f"{_LOGIN}_resource_id"))
    for what, seen, expected in (
        ("login host", login.rstrip("/"), metadata.login_endpoint),
        ("audience", audience, metadata.audience),
    ):
        if seen != expected:
            detail = f"the {what} of its cloud is {seen or 'not set'}, the stamp's is {expected}"
            raise _error(AzureCliProblem.OTHER_CLOUD, detail, account)
    return _Account(found[0], name, options.get("subscription", ""))


def _cloud_of(arm: str, clouds: AzClouds) -> str | None:
    """Return az's name of the cloud with this ARM endpoint: of several, the one in use."""
    ours = [name for name, options in clouds.registered.items() if _is_at(arm, options)]
    return clouds.in_use if clouds.in_use in ours else next(iter(ours), None)


def _is_at(arm: str, options: Mapping[str, str]) -> bool:
    try:
        return parse_arm_url(options.get("endpoint_resource_manager", "")) == arm
    except ValueError:
        return False


def _token(ended: Ended, account: _Account, metadata: Metadata, redactor: Redactor) -> Token:
    if ended.code != 0:
        said = ended.err.decode("utf-8", "replace").strip().removeprefix("ERROR: ")[:_MAX_ERROR]
        code = found[0] if (found := _CODE.search(said)) else ""
        problem = AzureCliProblem.REFUSED if code else AzureCliProblem.FAILED
        if not code and _SIGN_IN.search(said):
            problem = AzureCliProblem.NOT_SIGNED_IN
        detail = redactor.sanitize_untrusted(" ".join(said.split()).split("Trace ID")[0])
        raise _error(problem, detail or f"it ended with {ended.code}", account, code)
    said_json = parse_object(ended.out)
    redactor.add_secret(text(said_json, "accessToken"))
    answer: dict[str, object] = {"access_token": text(said_json, "accessToken")}
    # az before 2.54 has no `expires_on`; `expiresOn` has no time zone.
    if (ends := number(said_json, "expires_on", quoted=True)) is not None:
        answer["expires_in"] = ends - time.time()
    request = TokenRequest(metadata.login_endpoint, "", (metadata.audience,))
    token = parse_token(answer, request, metadata.audience, None, redactor)
    if token is None:
        raise _error(AzureCliProblem.NOT_UNDERSTOOD, "what it printed holds no token", account)
    audience, expected = token.facts.audience, redactor.sanitize(metadata.audience, 200)
    if account.cloud not in BUILT_IN_CLOUDS.values() and audience not in (None, expected):
        detail = f"the token is for {audience}, the stamp's audience is {expected}"
        raise _error(AzureCliProblem.OTHER_AUDIENCE, detail, account)
    return token


def _error(
    problem: AzureCliProblem, detail: str, account: _Account | None = None, code: str = ""
) -> IdentityError:
    launcher, cloud = (str(account.launcher), account.cloud) if account else ("", "")
    detail, launcher, cloud = map(escape_control_chars, (detail, launcher, cloud))
    return IdentityError(AzureCliFault(problem, detail, launcher, cloud, code))
