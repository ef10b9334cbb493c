"""The one network stack: timed phases, captured chain, limits, proxy, trust.

What can go wrong, as `TransportFault.kind`:

    TransportError
    ├── DNS      DNS_NOT_FOUND · DNS_TIMEOUT
    ├── TCP      TCP_REFUSED · TCP_TIMEOUT · TCP_UNREACHABLE · TCP_RESET
    ├── proxy    PROXY_UNREACHABLE · PROXY_AUTH_REQUIRED · PROXY_REFUSED · PROXY_PROTOCOL
    ├── TLS      TLS_NOT_TLS · TLS_VERIFY · TLS_REFUSED · TLS_RESET · TLS_TIMEOUT
    ├── HTTP     HTTP_PROTOCOL · HTTP_RESET · FIRST_BYTE_TIMEOUT
    ├── body     BODY_TRUNCATED · BODY_ENCODING · TOO_LARGE
    └── other    INSECURE_URL · STEP_TIMEOUT

`facts`, `limits` and `proxy` are light and may be imported anywhere. `session` (and with it httpx)
is imported only where a request is about to be made.
"""

from __future__ import annotations

import sys

# httpx imports its own command line where click and rich are installed, as they are here; rich
# would then be a third of what a headless check imports. Without this module, httpx skips that
# (see httpx/__init__.py).
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
