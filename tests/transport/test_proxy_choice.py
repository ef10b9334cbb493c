"""Which proxy is taken and why; its credentials are never shown."""

from __future__ import annotations

from base64 import b64decode

import pytest

from stacktui.transport.proxy import ProxyUsed, choose_proxy, parse_proxy

HOST = "management.local.azurestack.external"


def choice(
    monkeypatch: pytest.MonkeyPatch, setting: str | None = None, **variables: str
) -> ProxyUsed:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    proxy, used = choose_proxy(HOST, 443, setting)
    assert (proxy is None) == (used.url is None)
    return used


def test_no_proxy_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choice(monkeypatch) == ProxyUsed(None, "no proxy set")


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_the_usual_variables_are_read(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    used = choice(monkeypatch, **{variable: "http://p:3128"})
    assert used == ProxyUsed("http://p:3128", variable)


def test_http_proxy_is_not_for_https(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choice(monkeypatch, http_proxy="http://p:3128", HTTP_PROXY="http://p:1").url is None


def test_the_most_particular_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    used = choice(
        monkeypatch, HTTPS_PROXY="http://b:1", all_proxy="http://c:1", ALL_PROXY="http://d:1"
    )
    assert used == ProxyUsed("http://b:1", "HTTPS_PROXY")
    assert choice(monkeypatch, https_proxy="http://a:1") == ProxyUsed("http://a:1", "https_proxy")


def test_a_blank_variable_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choice(monkeypatch, HTTPS_PROXY=" ", ALL_PROXY="http://p:1").source == "ALL_PROXY"


def test_an_empty_lower_case_variable_takes_the_upper_case_one_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert choice(monkeypatch, https_proxy="", HTTPS_PROXY="http://p:1").url is None


def test_the_setting_beats_every_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    used = choice(monkeypatch, "https://mine:8443", HTTPS_PROXY="http://p:1", NO_PROXY="*")
    assert used == ProxyUsed("https://mine:8443", "proxy setting")


def test_none_means_direct_whatever_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    used = choice(monkeypatch, "none", HTTPS_PROXY="http://p:1")
    assert used == ProxyUsed(None, "proxy setting")


@pytest.mark.parametrize(
    ("no_proxy", "bypassed"),
    [
        (HOST, True),
        (HOST.upper(), True),
        ("azurestack.external", True),
        (".azurestack.external", True),
        ("other.example, local.azurestack.external", True),
        ("*", True),
        (f"{HOST}:443", True),
        (f"{HOST}:8443", False),
        ("stack.external", False),
        ("other.example", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_honoured(
    monkeypatch: pytest.MonkeyPatch, variable: str, no_proxy: str, bypassed: bool
) -> None:
    used = choice(monkeypatch, HTTPS_PROXY="http://p:3128", **{variable: no_proxy})
    expected = (
        ProxyUsed(None, "NO_PROXY") if bypassed else ProxyUsed("http://p:3128", "HTTPS_PROXY")
    )
    assert used == expected


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("proxy:3128", "http://proxy:3128"),
        ("http://proxy", "http://proxy:80"),
        ("https://proxy", "https://proxy:443"),
        ("http://PROXY:3128/", "http://proxy:3128"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("http://u:p@proxy:3128", "http://proxy:3128"),
        ("u:p@proxy:3128", "http://proxy:3128"),
    ],
)
def test_a_proxy_is_shown_as_a_url_without_credentials(text: str, url: str) -> None:
    assert parse_proxy(text, "x").url == url


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("http://ops:s3cret@proxy", "ops:s3cret"),
        ("http://ops@proxy", "ops:"),
        ("http://ops:s%40%3A%2Fcret@proxy", "ops:s@:/cret"),
        ("http://d%5Cops:p%C3%A4ss@proxy", "d\\ops:päss"),
    ],
)
def test_credentials_are_sent_decoded_and_never_shown(text: str, pair: str) -> None:
    proxy = parse_proxy(text, "x")
    assert proxy.authorization is not None
    scheme, _, encoded = proxy.authorization.partition(" ")
    assert (scheme, b64decode(encoded).decode()) == ("Basic", pair)
    shown = repr(proxy) + str(proxy) + repr(proxy.used())
    assert encoded not in shown
    assert "cret" not in shown


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("http://ops:s3cret@proxy", "s3cret"),
        ("http://ops:s%2Fcr%40et@proxy", "s/cr@et"),
        # A token that stands for the user.
        ("http://t0ken@proxy", "t0ken"),
        ("http://t0ken:@proxy", "t0ken"),
        ("http://t%2F0ken@proxy", "t/0ken"),
    ],
)
def test_what_of_credentials_nobody_may_see(text: str, secret: str) -> None:
    proxy = parse_proxy(text, "x")
    assert proxy.authorization is not None
    assert proxy.secrets == (proxy.authorization.removeprefix("Basic "), secret)


def test_a_proxy_without_credentials_sends_none() -> None:
    assert parse_proxy("http://proxy:3128", "x").authorization is None


@pytest.mark.parametrize("setting", [False, True], ids=["variable", "setting"])
@pytest.mark.parametrize(
    "text",
    [
        "socks5://u:hunter2@proxy:1080",
        "http://u:hunter2/x@proxy:3128",
        "http://u:hunter2?x@proxy:3128",
        "http://u:p@proxy:hunter2",
        "http://u:p@proxy:99999",
        "http://[u:hunter2@proxy",
        # What stands before the first of these would be taken for the host, the rest for a path.
        "http://hunter2/x@proxy:3128",
        "http://hunter2?x@proxy:3128",
        "http://hunter2#x@proxy:3128",
        "http://hunter2:12/x@proxy:3128",
        "hunter2#:p@proxy:3128",
        "http://u:p@hunter2/x@proxy:3128",
        "http://PROXY:3128/hunter2",
        "http://u\u2100:hunter2@proxy",
        "http://",
        "http://:3128",
    ],
)
def test_a_bad_proxy_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, text: str, setting: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", text)
    named = r"^a proxy must be " if setting else r"^HTTPS_PROXY: a proxy must be "
    with pytest.raises(ValueError, match=named) as caught:
        choose_proxy(HOST, 443, text if setting else None)
    assert "hunter2" not in str(caught.value)
