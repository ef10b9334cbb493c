"""`[environments.*]` tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.config.document import ConfigError, Table
from stacktui.environments.config import KEYS, read_environment
from stacktui.environments.model import OVERRIDES, CloudKey, Environment
from stacktui.transport.limits import LIMIT_SETTINGS, Limits

ARM = "https://management.local.azurestack.external"


def read(**values: object) -> Environment:
    return read_environment(
        "A", Table(Path("conf/c.toml"), "environments.A", {"arm": ARM} | values)
    )


def refusal(**values: object) -> str:
    with pytest.raises(ConfigError) as caught:
        read(**values)
    return str(caught.value)


def test_only_the_url_is_needed() -> None:
    assert read() == Environment("A", ARM)


def test_every_key_is_read() -> None:
    found = read(
        arm="https://Management.Local.AzureStack.external:443/",
        profile="2018-03-01-hybrid",
        identity="ops",
        subscription="sub",
        ca="root.pem",
        proxy="http://proxy:3128",
        resolve={"Management.local:443": "10.0.0.5:443"},
        limits={"connect": 15, "pages": 3},
        endpoints={"login_endpoint": "https://adfs.local/adfs"},
        vm_image_aliases="http://web/a",
    )
    assert found == Environment(
        name="A",
        arm=ARM,
        profile="2018-03-01-hybrid",
        identity="ops",
        subscription="sub",
        ca=Path("conf/root.pem"),
        proxy="http://proxy:3128",
        resolve={"management.local:443": "10.0.0.5:443"},
        limits=Limits(connect=15, pages=3),
        endpoints={CloudKey.LOGIN_ENDPOINT: "https://adfs.local/adfs"},
        vm_image_aliases="http://web/a",
    )


def test_every_value_of_the_metadata_can_be_replaced_and_is_looked_at() -> None:
    good = {
        "login_endpoint": "https://adfs.local/adfs/",
        "audience": "https://management.contoso.onmicrosoft.com/7f",
        "graph": "https://graph.local/",
        "gallery": "https://providers.local:30016",
        "portal": "https://portal.local/",
        "storage_suffix": "local.azurestack.external",
        "keyvault_suffix": ".vault.local.azurestack.external",
    }
    assert set(good) == set(OVERRIDES)
    assert read(endpoints=good).endpoints == good
    wrong = [
        "",
        " ",
        "a\nb",
        "\x1b[31m",
        5,
        "https://u:p@host",
        "https://host:0",
        "https://[",
        "no url",
    ]
    for key in OVERRIDES:
        bad = [each for each in wrong if key != "audience" or each in wrong[:5]]
        if "suffix" in key:
            bad.append("https://host")
        for value in bad:
            assert f"environments.A.endpoints.{key} " in refusal(endpoints={key: value}), value
    assert "https:" in refusal(endpoints={"login_endpoint": "http://adfs.local/adfs"})
    assert "public cloud" in refusal(endpoints={"audience": "https://graph.microsoft.com"})
    wrong += ["ftp://host/a"]
    for value in wrong:
        assert "environments.A.vm_image_aliases " in refusal(vm_image_aliases=value), value
    secret = "https://u:hunter2@host/adfs"
    assert "hunter2" not in refusal(vm_image_aliases=secret)
    assert "hunter2" not in refusal(endpoints={"login_endpoint": secret})


@pytest.mark.parametrize("key", KEYS)
def test_a_wrong_type_names_the_key(key: str) -> None:
    wanted = "a table" if key in ("resolve", "limits", "endpoints") else "a string"
    assert (
        refusal(**{key: 5}) == f"conf/c.toml: environments.A.{key} must be {wanted}, not a number"
    )


@pytest.mark.parametrize("name", LIMIT_SETTINGS)
def test_a_limit_takes_its_range_and_names_it(name: str) -> None:
    allowed = LIMIT_SETTINGS[name]
    for value in (allowed.least, allowed.most):
        assert getattr(read(limits={name: value}).limits, name) == value
    wrong = [allowed.least / 2, allowed.most * 2, -1, 0, "60", True, float("nan"), float("inf"), []]
    wrong += [2.5] if allowed.counts else []
    for value in wrong:
        told = refusal(limits={name: value})
        assert told == f"conf/c.toml: environments.A.limits.{name} must be {allowed}"
        assert "\n" not in told


def test_a_limit_of_the_run_stands_in_place_of_the_config_s() -> None:
    table = Table(Path("c.toml"), "environments.A", {"arm": ARM, "limits": {"tls": 9, "dns": 2}})
    assert read_environment("A", table, {"tls": 30.0}).limits == Limits(tls=30, dns=2)


def test_no_url_says_what_to_add() -> None:
    with pytest.raises(ConfigError, match=r"environments\.A has no arm; add: arm = "):
        read_environment("A", Table(Path("c.toml"), "environments.A", {}))


def test_a_bad_url_is_quoted_with_the_fix() -> None:
    assert refusal(arm="http://host") == (
        "conf/c.toml: environments.A.arm 'http://host' must be https, not http; try https://host"
    )


@pytest.mark.parametrize("scheme", ["https://", "http://", "ftp://", ""])
def test_a_password_in_the_url_is_not_repeated(scheme: str) -> None:
    assert "hunter2" not in refusal(arm=f"{scheme}ops:hunter2@host")


@pytest.mark.parametrize(
    ("profile", "hint"),
    [
        ("2020-09-01-hybird", "did you mean 2020-09-01-hybrid?"),
        ("zzz", "known: 2017-03-09-profile, 2018-03-01-hybrid"),
    ],
)
def test_an_unknown_profile_names_the_nearest(profile: str, hint: str) -> None:
    assert hint in refusal(profile=profile)


@pytest.mark.parametrize("proxy", ["none", "http://proxy:3128", "https://u:p@proxy", "proxy:3128"])
def test_a_proxy_is_kept_as_written(proxy: str) -> None:
    assert read(proxy=proxy).proxy == proxy


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://u:hunter2@proxy",
        "http://u:hunter2/x@proxy:3128",
        "http://u:hunter2#x@proxy:3128",
        "http://u\u2100:hunter2@proxy",
        "http://[u:hunter2@proxy",
        "http://",
    ],
)
def test_a_bad_proxy_is_refused_without_its_password(proxy: str) -> None:
    message = refusal(proxy=proxy)
    assert message.startswith("conf/c.toml: environments.A.proxy ")
    assert message.endswith(", or 'none'")
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("pin", "to"),
    [
        ("host", "10.0.0.5:443"),
        ("host:443", "10.0.0.5"),
        ("host:443", ":443"),
        ("host:x", "10.0.0.5:443"),
        ("host:0", "10.0.0.5:443"),
        ("host:65536", "10.0.0.5:443"),
        ("host:²", "10.0.0.5:443"),
        ("host:443", "10.0.0.5:٤"),
    ],
)
def test_a_pin_that_is_not_host_and_port_is_refused(pin: str, to: str) -> None:
    assert 'write "host:443"' in refusal(resolve={pin: to})


@pytest.mark.parametrize(
    "place",
    ["a b:443", "ä:443", "127.0.0.1\n:443", "[]:443", "[host]:443", "a\0b:443", "\x1b[2J:443",
     "user:pw@h:1", "a..b:443", ".a:443", "\u202ea:443"],
)  # fmt: skip
def test_a_pin_of_an_impossible_host_is_refused(place: str) -> None:
    for pin in ({place: "10.0.0.5:443"}, {"host:443": place}):
        message = refusal(resolve=pin)
        assert 'write "host:443"' in message
        assert "pw" not in message


@pytest.mark.parametrize("place", ["h_1.x-y.:1", "[::1]:443", "::1:443", "[fe80::1%eth0]:1"])
def test_a_pin_of_a_name_or_address_is_read(place: str) -> None:
    assert read(resolve={"host:443": place}).resolve == {"host:443": place}


@pytest.mark.parametrize("proxy", ["http://a\x1b[2Jb:1", "http://a\0b:1", "http://\u202ea:1"])
def test_a_proxy_with_control_characters_is_refused(proxy: str) -> None:
    assert refusal(proxy=proxy).startswith("conf/c.toml: environments.A.proxy ")
