"""Prefixes of the message with which az reports that it could not read the metadata."""

from __future__ import annotations

# Any reason.
AZ_ENDPOINTS = "Unable to get endpoints from the cloud. "
# The connection failed.
AZ_NETWORK = AZ_ENDPOINTS + "Please ensure you have network connection. Error detail: "
AZ_CONNECTION = AZ_NETWORK + "HTTPSConnectionPool(…): Max retries exceeded with url: … (Caused by "
# TLS failed.
AZ_TLS = AZ_NETWORK + "HTTPSConnectionPool(…): … (Caused by SSLError("
# Certificate verification failed.
AZ_VERIFY = AZ_TLS + "SSLCertVerificationError(1, "
