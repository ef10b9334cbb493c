"""The name that is proposed for a new environment: never empty, never taken."""

from __future__ import annotations

import pytest

from stacktui.tui.screens.add_environment import propose_name


@pytest.mark.parametrize(
    ("arm", "name"),
    [
        ("https://management.west.contoso.example", "west"),
        ("https://adminmanagement.west.contoso.example:443", "west-admin"),
        ("https://localhost:44881", "localhost"),
        ("https://127.0.0.1:44881", "127.0.0.1"),
        ("https://stamp.contoso.example", "stamp.contoso.example"),
        ("management.local.azurestack.external", "local"),
        ("https://management", "management"),
        ("https://", ""),
        ("", ""),
    ],
)
def test_a_name_follows_from_the_url(arm: str, name: str) -> None:
    assert propose_name(arm, ()) == name


def test_a_taken_name_gets_a_number() -> None:
    assert propose_name("https://localhost:1", ["localhost", "localhost-2"]) == "localhost-3"
