"""The embedded stamp of a demo and its temporary config."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stacktui.cli.name_completion import starting
from stacktui.config.locations import config_root, mark_demo

if TYPE_CHECKING:
    from stacktui.stamp import SignInKind, StampOptions
    from stacktui.stamp.running import RunningStamp

DEMO_DOMAIN = "local.azurestack.external"
# The variable that MSAL and the product read.
IMDS_VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"


def drill_ids(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[str]:
    """Complete the id of a fault that the stamp can play."""
    from stacktui.stamp import FAULTS

    return starting(FAULTS, incomplete)


class Demo(ExitStack):
    """An embedded stamp with a temporary config, started on demand; both end with the context."""

    def __init__(self, options: StampOptions | None = None) -> None:
        super().__init__()
        self._options = options

    def start(self) -> Path:
        """Start the stamp in a thread and return the path of a config for it. Blocks."""
        from stacktui.stamp import FAULTS, IdentityProvider, SignInKind, StampOptions, run_in_thread

        adfs = StampOptions(domain=DEMO_DOMAIN, idp=IdentityProvider.ADFS)
        options = self._options or adfs
        stamp = self.enter_context(run_in_thread(options))
        folder = self.enter_context(tempfile.TemporaryDirectory(prefix="stacktui-demo-"))
        self.enter_context(config_root(Path(folder)))
        kind = FAULTS[stamp.fault].sign_in_kind if stamp.fault else SignInKind.SECRET
        if kind is SignInKind.MANAGED_IDENTITY:
            self.enter_context(_imds_variable(stamp.imds_url))
        mark_demo(Path(folder))
        path = Path(folder) / "config.toml"
        path.write_text(_config(stamp, kind), encoding="utf-8")
        return path


@contextmanager
def _imds_variable(url: str) -> Iterator[None]:
    """Set the variable by which this process finds the stamp's instance metadata service."""
    before = os.environ.get(IMDS_VARIABLE)
    os.environ[IMDS_VARIABLE] = url
    try:
        yield
    finally:
        if before is None:
            del os.environ[IMDS_VARIABLE]
        else:
            os.environ[IMDS_VARIABLE] = before


def _identity(stamp: RunningStamp, kind: SignInKind) -> dict[str, object]:
    """Return the keys of a config identity that signs in to the stamp by `kind`."""
    from stacktui.stamp import SignInKind

    tenant = {"tenant": stamp.tenant}
    application = {"kind": "service-principal", **tenant, "client_id": stamp.client_id}
    match kind:
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


def _config(stamp: RunningStamp, kind: SignInKind) -> str:
    """Return a config as a user would write it, with secrets by reference."""
    import tomlkit

    from stacktui.stamp import FAULTS

    document = tomlkit.document()
    document.add(tomlkit.comment("Made by `stacktui demo`; it goes when the demo ends."))
    name, arm = "AzureStackUser", stamp.arm_url
    if stamp.fault is not None and FAULTS[stamp.fault].for_operators:
        name, arm = "AzureStackAdmin", arm.replace("://management.", "://adminmanagement.")
    document["active"] = name
    document["environments"] = {
        name: {
            "arm": arm,
            "identity": "demo",
            "subscription": stamp.subscription_id,
            "vm_image_aliases": stamp.vm_image_aliases,
            "ca": str(stamp.ca_file),
            # The stamp is on this machine: no proxy of the environment variables is needed.
            "proxy": stamp.proxy or "none",
            "resolve": dict(stamp.resolve),
        }
    }
    document["identities"] = {"demo": _identity(stamp, kind)}
    return tomlkit.dumps(document)
