"""Prefixes of az's messages for TLS failures; the rest of the message differs by fault."""

from __future__ import annotations

# Any TLS failure.
AZ_TLS = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by SSLError("
)
# Certificate verification failed.
AZ_VERIFY = AZ_TLS + "SSLCertVerificationError(1, "
