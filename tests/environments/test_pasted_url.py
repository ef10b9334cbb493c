"""ARM URLs as people paste them, and the name that is proposed for a new environment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.environments.model import parse_arm_url
from stacktui.environments.pasted_url import propose_name, read_pasted_url, with_service

WEST = "https://management.west.contoso.example"


@pytest.mark.parametrize(
    ("pasted", "arm"),
    [
        ("management.west.contoso.example", WEST),
        (f' "{WEST}/",\n', WEST),
        (f"<{WEST}>", WEST),
        (f"“{WEST}”", WEST),
        (f"{WEST}/metadata/endpoints?api-version=2015-01-01", WEST),
        ("management.west.contoso.example/metadata", WEST),
        (f"{WEST.upper()}:443?x#y", WEST),
        ("management.west.contoso.example:8443", f"{WEST}:8443"),
        ("https://portal.west.contoso.example/#home", WEST),
        ("portal.west.contoso.example:443", WEST),
        (
            "https://adminportal.west.contoso.example/?feature=x#@t",
            "https://adminmanagement.west.contoso.example",
        ),
        ("https://portal.azure.com/#home", "https://management.azure.com"),
        ("portal.azure.us", "https://management.usgovcloudapi.net"),
        ("https://Portal.Azure.cn/", "https://management.chinacloudapi.cn"),
        ("https://portal.microsoftazure.de", "https://management.microsoftazure.de"),
        ("https://foo.vault.azure.net/secrets/x", "https://management.azure.com"),
        ("https://vault.azure.net", "https://management.azure.com"),
        ("https://account.blob.core.windows.net/x", "https://management.azure.com"),
        ("https://foo.vault.usgovcloudapi.net", "https://management.usgovcloudapi.net"),
        ("https://foo.vault.azure.cn", "https://management.chinacloudapi.cn"),
        # Anybody can have a host there.
        ("portal.kit.cloudapp.azure.com", "https://management.kit.cloudapp.azure.com"),
        ("kit.cloudapp.azure.com", "https://kit.cloudapp.azure.com"),
        ("https://adfs.west.contoso.example/adfs/ls", WEST),
        ("https://account.blob.west.contoso.example/container", WEST),
        ("https://kv.adminvault.west.contoso.example", WEST.replace("man", "adminman")),
        (f"https://{WEST}", WEST),
        (f"https://https//{WEST.upper()}/metadata", WEST),
        (f"http://{WEST}/x", WEST),
        ("local", "https://management.local.azurestack.external"),
        ("local.azurestack.external", "https://management.local.azurestack.external"),
        ("localhost:8443", "https://localhost:8443"),
        ("[fe80::1]:8443/x", "https://[fe80::1]:8443"),
        ("127.0.0.1:44881", "https://127.0.0.1:44881"),
    ],
)
def test_what_people_paste_is_read_as_the_arm_url(pasted: str, arm: str) -> None:
    assert read_pasted_url(pasted).arm == arm


@pytest.mark.parametrize(
    ("pasted", "message"),
    [
        ("", "must be https://host"),
        ("<>", "must be https://host"),
        ("http://management.west.example/x", "must be https, not http"),
        ("https://http://management.west.example", "must be https, not http"),
        ("https://https://", "must be https://host"),
        ("https://u:hunter2@management.west.example/x", "must not hold a user name"),
        ("u:hunter2@management.west.example", "must not hold a user name"),
        ("ftp://management.west.example", "must be https://host"),
        ("https://host:99999/x", "a port from 1 to 65535"),
        ("two words", "without blanks"),
        (
            "https://graph.microsoft.com/v1.0/me",
            "is Entra's Graph.*public Azure is https://management.azure.com",
        ),
        ("graph.windows.net", "is Entra's Graph"),
        ("https://login.microsoftonline.com/common", "is Entra's sign-in, which stamps share"),
    ],
)
def test_what_cannot_be_meant_is_refused(pasted: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_pasted_url(pasted)
    assert "hunter2" not in str(caught.value)


_PASTED = st.from_regex(
    r"[<\" ]?(https?://)?((admin)?portal\.|x\.blob\.)?[ -~äπ\u200b]{0,20}(:[0-9]{1,6})?[/?#]?.{0,9}"
)


@given(st.text(max_size=60) | _PASTED)
def test_any_text_gives_an_arm_url_or_a_value_error(text: str) -> None:
    try:
        arm = read_pasted_url(text).arm
    except ValueError:
        return
    assert arm.startswith("https://")
    assert parse_arm_url(arm) == arm


@pytest.mark.parametrize(
    ("arm", "name"),
    [
        ("https://management.west.contoso.example", "west"),
        ("https://adminmanagement.west.contoso.example:443", "west-admin"),
        ("https://localhost:44881", "localhost"),
        ("https://127.0.0.1:44881", "127.0.0.1"),
        ("https://stamp.contoso.example", "stamp.contoso.example"),
        ("management.local.azurestack.external", "AzureStackUser"),
        ("https://adminmanagement.local.azurestack.external", "AzureStackAdmin"),
        ("https://management", "management"),
        ("https://[fd00::1]:8443", "fd00::1"),
        ("https://", ""),
        ("", ""),
    ],
)
def test_a_name_follows_from_the_url(arm: str, name: str) -> None:
    assert propose_name(arm, ()) == name


def test_a_taken_name_gets_a_number() -> None:
    assert propose_name("https://localhost:1", ["localhost", "localhost-2"]) == "localhost-3"


@pytest.mark.parametrize(
    ("pasted", "changes"),
    [
        (WEST, ()),
        (f"{WEST}/", ()),
        (f' "{WEST}",', ()),
        (WEST.partition("://")[2], ("https:// was put before it",)),
        (f"{WEST}/metadata/endpoints", ("the path of the metadata was dropped",)),
        (f"{WEST}/x?y", ("the path was dropped",)),
        ("local", ("local is the development kit",)),
        (
            "https://local:8443",
            ("the port 8443 was dropped, which is not ARM's", "local is the development kit"),
        ),
        (
            "https://portal.west.contoso.example:30015",
            (
                "the port 30015 was dropped, which is not ARM's",
                "portal.west.contoso.example is the stamp's portal, not its ARM",
            ),
        ),
        ("https://portal.azure.us", ("portal.azure.us is the cloud's portal, not its ARM",)),
        ("https://kv.vault.azure.net", ("kv.vault.azure.net is the cloud's vault, not its ARM",)),
        (
            "portal.west.contoso.example/#home",
            (
                "https:// was put before it",
                "the path was dropped",
                "portal.west.contoso.example is the stamp's portal, not its ARM",
            ),
        ),
    ],
)
def test_what_was_changed_is_said(pasted: str, changes: tuple[str, ...]) -> None:
    assert read_pasted_url(pasted).changes == changes


@pytest.mark.parametrize(
    ("arm", "meant"),
    [
        ("https://west.contoso.example", WEST),
        ("https://west.contoso.example:8443", f"{WEST}:8443"),
        (WEST, ""),
        ("https://adminmanagement.west.contoso.example", ""),
        ("https://management.azure.com", ""),
        ("https://localhost:8443", ""),
        ("https://10.0.0.1:8443", ""),
        ("https://[fe80::1.2.3.4]:8443", ""),
    ],
)
def test_the_service_that_may_have_been_forgotten(arm: str, meant: str) -> None:
    assert with_service(arm) == meant
