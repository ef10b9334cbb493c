"""What fails no check but should be known, and what no rule explains."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import advisories, azure_cli, azure_cli_config, pinning
from stacktui.diagnosis.catalogue.unexplained import UNEXPLAINED
from stacktui.diagnosis.entries.model import entry_of

BESIDE = (
    entry_of(advisories.CERT_EXPIRES_SOON),
    entry_of(advisories.CERT_READINESS),
    entry_of(azure_cli.VERIFICATION_OFF),
    entry_of(pinning.ROOT_CHANGED),
    entry_of(azure_cli.AZ_TOO_NEW),
    entry_of(azure_cli_config.AZ_CONFIG_BROKEN),
    entry_of(azure_cli.AZ_STALE_ERROR_CACHE),
    entry_of(advisories.CERTIFI_ADDITION_LOST),
)

OTHER = (entry_of(UNEXPLAINED),)
