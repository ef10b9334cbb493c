"""The instance metadata service at its own address, which only a namespace can have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stacktui.stamp import SignInKind
from tests.diagnosis.remedy_runs import TEMPLATES
from tests.network.conftest import Site
from tests.product import signing_in

ADDRESS = "169.254.169.254"
HERE = f"{ADDRESS}/32"


@contextmanager
def a_machine_of_the_cloud(site: Site) -> Iterator[None]:
    """Serve the stamp's instance metadata service at its well-known address."""
    host, _, port = site.stamp["imds_url"].removeprefix("http://").partition(":")
    site.inside.must("ip", "addr", "add", HERE, "dev", "lo")
    try:
        relay = Path(__file__).with_name("relay.py")
        with site.inside.serving(relay, ADDRESS, "80", host, port):
            yield
    finally:
        site.inside.must("ip", "addr", "del", HERE, "dev", "lo")


def machine(site: Site, **more: str) -> dict[str, str]:
    return {"resolve": ""} | signing_in(SignInKind.MANAGED_IDENTITY, site.stamp, **more)


def test_a_machine_with_an_identity_is_healthy(site: Site, tmp_path: Path) -> None:
    with a_machine_of_the_cloud(site):
        document = site.check(tmp_path, **machine(site))
    assert document["ok"], document["verdict"]
    (exchange,) = document["steps"][1]["evidence"]["exchanges"]
    assert exchange["url"].startswith(f"http://{ADDRESS}/metadata/identity/oauth2/token?")
    assert exchange["connection"]["addresses"] == [ADDRESS]


def test_a_machine_without_that_identity(site: Site, tmp_path: Path) -> None:
    with a_machine_of_the_cloud(site):
        verdict = site.verdict(tmp_path, "token", **machine(site, client_id='"nobody"'))
    assert verdict["id"] == "imds-no-identity"


def test_a_box_that_is_no_machine_of_the_cloud(site: Site, tmp_path: Path) -> None:
    verdict = site.verdict(tmp_path, "token", **machine(site))
    assert (verdict["id"], verdict["side"]) == ("imds-unreachable", "box")
    assert any("ENETUNREACH" in line for line in verdict["evidence"])
    assert not any("unset " in each["bash"] for each in verdict["remedies"])


@pytest.mark.parametrize(
    ("rule", "said"), [("drop", "ETIMEDOUT"), ("reject with tcp reset", "ECONNREFUSED")]
)
def test_packets_to_the_service_that_are_filtered(
    rule: str, said: str, site: Site, tmp_path: Path
) -> None:
    with (
        a_machine_of_the_cloud(site),
        site.inside.filtering(f"ip daddr {ADDRESS} tcp dport 80 {rule}"),
    ):
        verdict = site.verdict(tmp_path, "token", **machine(site))
    assert verdict["id"] == "imds-unreachable"
    assert any(said in line for line in verdict["evidence"])


def test_the_look_that_is_offered_shows_the_service(site: Site, tmp_path: Path) -> None:
    """The verdict's command, run where the service does exist."""
    command = site.verdict(tmp_path, "token", **machine(site))["remedies"][0]["bash"]
    with a_machine_of_the_cloud(site):
        done = site.inside.run("bash", "-c", command)
    assert f"local {ADDRESS} dev lo" in done.stdout
    assert "HTTP/1.1 404" in done.stdout


def test_the_list_of_versions_is_asked_for(site: Site) -> None:
    (command,) = (each for each in TEMPLATES if "/metadata/versions" in each)
    with a_machine_of_the_cloud(site):
        done = site.inside.run("bash", "-c", command)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
