"""ARM URLs as users type and paste them."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacktui.environments.model import Environment, parse_arm_url

HOST = "management.local.azurestack.external"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"https://{HOST}", f"https://{HOST}"),
        (f"  https://{HOST}/\n", f"https://{HOST}"),
        (f"HTTPS://{HOST.upper()}", f"https://{HOST}"),
        (f"https://{HOST}:443/", f"https://{HOST}"),
        (f"https://{HOST}:8443", f"https://{HOST}:8443"),
        ("https://10.0.0.5:30005", "https://10.0.0.5:30005"),
        ("https://[FE80::1]:8443/", "https://[fe80::1]:8443"),
        ("https://localhost:1", "https://localhost:1"),
        ("https://under_score.example", "https://under_score.example"),
    ],
)
def test_a_good_url_is_normalised(text: str, expected: str) -> None:
    assert parse_arm_url(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be https://host[:port]; try https://management.<region>.<fqdn>"),
        (HOST, f"must be https://host[:port]; try https://{HOST}"),
        (f"{HOST}/metadata", f"must be https://host[:port]; try https://{HOST}"),
        ("localhost:8443", "must be https://host[:port]; try https://localhost:8443"),
        (f"ftp://{HOST}", f"must be https://host[:port]; try https://{HOST}"),
        (f"ftp://ops:pw@{HOST}", f"must be https://host[:port]; try https://{HOST}"),
        (f"ops:pw@{HOST}", f"must be https://host[:port]; try https://{HOST}"),
        (f"http://{HOST}", f"must be https, not http; try https://{HOST}"),
        (f"http://{HOST}:80", f"must be https, not http; try https://{HOST}"),
        (f"http://{HOST}:8443/", f"must be https, not http; try https://{HOST}:8443"),
        (
            f"https://{HOST}/metadata/endpoints?api-version=1.0",
            f"must be the host alone, without a path; try https://{HOST}",
        ),
        (f"https://{HOST}?x", f"must be the host alone, without a path; try https://{HOST}"),
        (f"https://{HOST}#x", f"must be the host alone, without a path; try https://{HOST}"),
        (f"https://https://{HOST}/", f"must begin with https:// once; try https://{HOST}"),
        ("https://https://", "must be https://host[:port]; try https://management.<region>.<fqdn>"),
        (f"https://ops:pw@{HOST}", f"must not hold a user name; try https://{HOST}"),
        ("https://", "must be https://host[:port]; try https://management.<region>.<fqdn>"),
        ("https://:8443", "must be https://host[:port]; try https://:8443"),
    ],
)
def test_a_bad_url_says_what_was_meant(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"^must ") as caught:
        parse_arm_url(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "https://host:x",
        "https://host:99999",
        "https://host:-1",
        "https://[::1",
        "https://ho st",
        "https://ho\tst",
        "https://ho\x1bst",
        "https://ho\u202est",
        "https://ho\u00a0st",
        "https://a..b",
        "https://.host",
        "https://-host",
        f"https://{'a' * 64}.example",
        f"https://{'a.' * 130}example",
        "https://<region>.example",
        "https://ho%73t",
        "https://*.contoso.example",
        "https://a,b",
        "https://host:0",
    ],
)
def test_an_impossible_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|holds) ") as caught:
        parse_arm_url(text)
    assert str(caught.value).isprintable()


_URL_LIKE = st.from_regex(r"(https?://)?[ -~äπ\u200b\u202e]{0,20}(:[0-9]{1,6})?/?", fullmatch=True)


@given(st.text(max_size=40) | _URL_LIKE | st.text(max_size=20).map(lambda x: f"https://{x}"))
def test_any_text_gives_an_origin_or_a_value_error(text: str) -> None:
    try:
        arm = parse_arm_url(text)
    except ValueError:
        return
    assert parse_arm_url(arm) == arm
    url = httpx.URL(f"{arm}/metadata/endpoints")
    assert (url.scheme, url.path, url.userinfo) == ("https", "/metadata/endpoints", b"")
    assert url.raw_host.decode() in arm


def test_an_environment_needs_only_name_and_url() -> None:
    found = Environment("A", f"https://{HOST}")
    assert found.profile == "2020-09-01-hybrid"
    assert (found.identity, found.subscription, found.ca, found.proxy) == (None,) * 4
    assert dict(found.resolve) == {}
