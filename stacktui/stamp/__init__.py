"""The embedded stamp: a simulated Azure Stack Hub on loopback, for the demo, drills and tests.

    with run_in_thread(StampOptions(idp=IdentityProvider.ADFS)) as stamp:
        ...  # stamp.arm_url, stamp.ca_file, stamp.client_id, stamp.secret_file, …

It implements PROTOCOL.md over real sockets and real TLS: it makes the checks of a real stamp and
returns its errors. `StampOptions.fault` is an id of `FAULTS`. Nothing of the rest of stacktui is
imported here, and importing this package is cheap: TLS, HTTP and cryptography are imported when a
stamp starts.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING

from stacktui.stamp.cloud import Cloud
from stacktui.stamp.faults import FAULTS
from stacktui.stamp.faults.model import Fault, SignInKind
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.options import StampOptions, UnknownFaultError

if TYPE_CHECKING:
    from stacktui.stamp.running import RunningStamp

__all__ = [
    "FAULTS",
    "Cloud",
    "Fault",
    "IdentityProvider",
    "SignInKind",
    "StampOptions",
    "UnknownFaultError",
    "run_in_thread",
    "serve",
]


def serve(options: StampOptions | None = None) -> AbstractAsyncContextManager[RunningStamp]:
    """Run a stamp on the running event loop while the context lasts.

    OSError when a port is taken.
    """
    from stacktui.stamp import runtime

    return runtime.serve(options or StampOptions())


def run_in_thread(options: StampOptions | None = None) -> AbstractContextManager[RunningStamp]:
    """Run a stamp in a thread with its own event loop while the context lasts.

    Errors at start (OSError when a port is taken) are raised in the caller.
    """
    from stacktui.stamp import runtime

    return runtime.run_in_thread(options or StampOptions())
