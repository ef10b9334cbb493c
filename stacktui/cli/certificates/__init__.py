"""`stacktui certificates`: chains, trust stores, trusting a root, readiness, PFX and PEM."""

from __future__ import annotations

from stacktui.cli.lazy import LazyGroup
from stacktui.cli.options import examples

command = LazyGroup(
    package=__name__,
    help="Show certificate chains and trust stores, trust a root, check and convert files.",
    table={
        "show": "Show the chain that each endpoint of an environment presents.",
        "stores": "List the trust stores on this machine.",
        "matrix": "Show which trust store trusts which endpoint.",
        "trust": "Trust a root.",
        "untrust": "Remove a root that stacktui added.",
        "export": "Write one bundle for az and other programs.",
        "repair": "Write a file of certificates as it was meant.",
        "lint": "Check certificate files against the vendor's readiness rules.",
        "convert": "Convert a service principal's certificate, PFX to PEM or back.",
    },
    epilog=examples("stacktui certificates show West"),
)
