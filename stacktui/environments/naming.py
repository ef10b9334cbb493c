"""The naming rule of integrated systems, `<service>.<region>.<fqdn>` (PROTOCOL.md section 1)."""

from __future__ import annotations

USER_ENDPOINT = "management"
OPERATOR_ENDPOINT = "adminmanagement"
# Services of a stamp that users paste in place of the ARM endpoint (PROTOCOL.md section 6).
OTHER_SERVICES = {
    "portal": USER_ENDPOINT,
    "adminportal": OPERATOR_ENDPOINT,
    "vault": USER_ENDPOINT,
    "adminvault": OPERATOR_ENDPOINT,
    "graph": USER_ENDPOINT,
    "adfs": USER_ENDPOINT,
}


def domain_of(host: str) -> str | None:
    """`<region>.<fqdn>` of an ARM host that follows the rule, else None."""
    service, _, domain = host.partition(".")
    return domain if service in (USER_ENDPOINT, OPERATOR_ENDPOINT) and "." in domain else None


def suffixes(host: str) -> tuple[str | None, str | None]:
    """The storage and Key Vault suffixes that follow from an ARM host's name."""
    domain = domain_of(host)
    if domain is None:
        return None, None
    vault = "adminvault" if host.startswith(OPERATOR_ENDPOINT) else "vault"
    return domain, f".{vault}.{domain}"
