"""The cloud in which az asks Microsoft Graph for a directory."""

from __future__ import annotations

import pytest

from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.diagnosis.entra_commands import entra_cloud, fill_in_entra, in_entra


@pytest.mark.parametrize(
    ("authority", "cloud"),
    [
        ("https://login.microsoftonline.com/contoso.com", "AzureCloud"),
        ("https://login.microsoftonline.us/contoso.us/", "AzureUSGovernment"),
        ("https://login.partner.microsoftonline.cn/t", "AzureChinaCloud"),
        ("https://login.local.azurestack.external/t", "AzureCloud"),
        ("https://[", "AzureCloud"),
        ("", "AzureCloud"),
    ],
)
def test_the_cloud_of_a_login_host(authority: str, cloud: str) -> None:
    assert entra_cloud(authority) == cloud


def test_what_prepares_it_comes_first() -> None:
    template = in_entra("Add it", "az ad show --id {id}", prepared_by="openssl x509 -in {path}")
    filled = fill_in_entra(template, "https://login.microsoftonline.us/t", id="a", path="b c")
    assert filled.bash == (
        "openssl x509 -in 'b c' && az cloud set -n AzureUSGovernment && az ad show --id a"
    )
    assert filled.powershell == ""  # a path with a blank is no plain word for az.cmd
    filled = fill_in_entra(template, "", id="a", path="b")
    assert filled.powershell == (
        "openssl x509 -in 'b'; az cloud set -n AzureCloud; az ad show --id 'a'"
    )


def test_no_remedy_asks_microsoft_graph_on_a_stamp() -> None:
    for fault in EVERY_FAULT.values():
        for remedy in fault.remedies:
            for command in (remedy.bash, remedy.powershell):
                before, found, _ = command.partition("az ad ")
                assert not found or "az cloud set -n {cloud}" in before, fault.id
                assert "az role" not in command, fault.id
