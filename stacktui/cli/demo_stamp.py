"""The embedded stamp of a demo, and a throw-away config that names it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from stacktui.config.locations import kept_in, mark_demo

if TYPE_CHECKING:
    from stacktui.stamp import SignInKind, StampOptions
    from stacktui.stamp.running import RunningStamp

DEMO_DOMAIN = "local.azurestack.external"
# As MSAL and the product read it.
IMDS_VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"


class Demo:
    """An embedded stamp with a throw-away config, started on demand; both end with the context."""

    def __init__(self, options: StampOptions | None = None) -> None:
        self._options = options
        self._stack = ExitStack()

    def __enter__(self) -> Demo:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def start(self) -> Path:
        """Start the stamp in a thread of its own; the path of a config that names it. Blocks."""
        from stacktui.stamp import FAULTS, IdentityProvider, SignInKind, StampOptions, run_in_thread

        adfs = StampOptions(domain=DEMO_DOMAIN, idp=IdentityProvider.ADFS)
        options = self._options or adfs
        stamp = self._stack.enter_context(run_in_thread(options))
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="stacktui-demo-"))
        self._stack.enter_context(kept_in(Path(folder)))
        by = FAULTS[stamp.fault].sign_in_kind if stamp.fault else SignInKind.SECRET
        if by is SignInKind.MANAGED_IDENTITY:
            self._stack.enter_context(_imds_at(stamp.imds_url))
        mark_demo(Path(folder))
        path = Path(folder) / "config.toml"
        path.write_text(_config(stamp, by), encoding="utf-8")
        return path


@contextmanager
def _imds_at(url: str) -> Iterator[None]:
    """Let this process find the stamp's instance metadata service, which every machine has at the
    same address."""
    before = os.environ.get(IMDS_VARIABLE)
    os.environ[IMDS_VARIABLE] = url
    try:
        yield
    finally:
        if before is None:
            del os.environ[IMDS_VARIABLE]
        else:
            os.environ[IMDS_VARIABLE] = before


def _identity(stamp: RunningStamp, by: SignInKind) -> dict[str, object]:
    """One of the stamp's identities, of the kind that signs in so."""
    from stacktui.stamp import SignInKind

    tenant = {"tenant": stamp.tenant}
    application = {"kind": "service-principal", **tenant, "client_id": stamp.client_id}
    match by:
        case SignInKind.CERTIFICATE:
            return {**application, "certificate": stamp.certificate_file}
        case SignInKind.PASSWORD:
            password = {"file": stamp.password_file}
            return {"kind": "user", **tenant, "username": stamp.user, "password": password}
        case SignInKind.DEVICE_CODE:
            return {"kind": "device-code", **tenant}
        case SignInKind.MANAGED_IDENTITY:
            return {"kind": "managed-identity"}
    return {**application, "secret": {"file": stamp.secret_file}}


def _config(stamp: RunningStamp, by: SignInKind) -> str:
    """A config as a user would write it; the secret stays in its own private file."""
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment("Made by `stacktui demo`; it goes when the demo ends."))
    document["active"] = "AzureStackUser"
    document["environments"] = {
        "AzureStackUser": {
            "arm": stamp.arm_url,
            "identity": "demo",
            "subscription": stamp.subscription_id,
            "ca": str(stamp.ca_file),
            # The stamp is on this box, whatever proxy the variables name.
            "proxy": stamp.proxy or "none",
            "resolve": dict(stamp.resolve),
        }
    }
    document["identities"] = {"demo": _identity(stamp, by)}
    return tomlkit.dumps(document)
