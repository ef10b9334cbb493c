"""How az begins its message where TLS fails: what follows differs by fault."""

from __future__ import annotations

# The TLS stack gave up, whatever the reason.
AZ_TLS = (
    "Unable to get endpoints from the cloud. Please ensure you have network connection. "
    "Error detail: HTTPSConnectionPool(…): … (Caused by SSLError("
)
# It did not accept the certificate.
AZ_VERIFY = AZ_TLS + "SSLCertVerificationError(1, "
