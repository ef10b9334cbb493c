"""The zoomed check pane can show any report, and which remedies the keys act on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacktui.azure_cli.facts import AzFacts, AzInstallation
from stacktui.certificates.chain import describe
from stacktui.certificates.chain_completion import ChainCompletion, FoundIssuer
from stacktui.check.events import SignInPrompt
from stacktui.check.report import Evidence, Probe, Report, StepOutcome, StepResult
from stacktui.check.settings import load_settings
from stacktui.check.step_names import StepName
from stacktui.check.streak import Recalled, Streak
from stacktui.check.summary import CheckSummary
from stacktui.check.summary_text import result_summary
from stacktui.check.target import CheckTarget
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.finding import ClientResult, Diagnosis
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import CloudKey, Environment
from stacktui.environments.record import StampRecord, more_of
from stacktui.tui.app_state import AppState
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import copied_of
from stacktui.tui.glyphs import UNICODE
from stacktui.tui.lines import width_of, wrap
from stacktui.tui.live_check import LiveCheck, LiveStep
from stacktui.tui.panes.check_result import check_lines, prompt_lines
from stacktui.tui.panes.check_timeline import timeline_lines
from stacktui.tui.panes.environment_detail import detail
from stacktui.tui.panes.environments import row as environment_row
from tests.diagnosis.test_fixes import ACCEPT, COMMAND, PLAIN, PROXIES, SET, finding
from tests.diagnosis.test_total import objects, reports
from tests.support.authority import authority
from tests.support.draws import draws
from tests.tui.canned import HEALTHY

NOW = datetime(2026, 5, 3, tzinfo=UTC)
AZ = AzFacts(Path("/home/ops/.azure"), (AzInstallation(Path("/usr/bin/az"), "2.66.2"),))
WIDTH = 76


def live(report: Report) -> LiveCheck:
    steps = tuple(LiveStep(step.name, phases=step.phases, step=step) for step in report.steps)
    done = LiveCheck(report.target, CheckState.FINISHED, report.started, steps, report=report)
    return replace(done, diagnosis=diagnose(report))


def rendered(check: LiveCheck) -> str:
    """Return the text of the zoomed check pane."""
    ders = {der for each in check.connections if each.tls for der in each.tls.chain}
    lines = check_lines(check, WIDTH, UNICODE, whole=True)
    lines += timeline_lines(check, {der: describe(der) for der in ders}, UNICODE)
    rows = [row for line in lines for row in wrap(line, WIDTH, UNICODE)]
    for row in rows:
        assert width_of(row.spans) <= WIDTH
        assert "\x1b" not in "".join(span.text for span in (*row.spans, *row.right))
    return "\n".join("".join(span.text for span in row.spans) for row in rows)


@settings(max_examples=draws(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(reports(), st.lists(objects(Probe), max_size=2))
def test_any_report_can_be_shown(report: Report, probes: list[Probe]) -> None:
    shown = rendered(live(replace(report, started=NOW, probes=tuple(probes), az=AZ)))
    for said in ("Timeline", "Trusted here", "2.66.2", "Y copies all of this"):
        assert said in shown


@settings(max_examples=draws(10), deadline=None, suppress_health_check=list(HealthCheck))
@given(reports().filter(lambda report: report.failed is not None))
def test_missing_issuers_and_the_record_are_shown(report: Report) -> None:
    record = StampRecord("https://arm", "https://login", "https://audience", NOW)
    check = live(replace(report, started=NOW, recorded=record))
    assert "Known of this stamp since 2026-05-03" in rendered(check)
    for seen in check.connections[:1]:
        found = (FoundIssuer(authority().root.der, ("waagent",)),)
        whole = replace(
            report, started=NOW, completion=ChainCompletion(seen.host, seen.port, found)
        )
        shown = rendered(live(whole))
        if seen.tls and seen.tls.chain:
            assert "not presented, but in waagent" in " ".join(shown.split())


def test_a_partly_redacted_login_host_is_shown() -> None:
    hidden = Metadata("1", "https://[redacted].example/adfs", "a", IdentityProvider.ADFS)
    assert "[redacted].example" in result_summary(hidden)


def test_the_device_code_prompt_names_its_host() -> None:
    prompt = SignInPrompt("adfs.evil.example:8443", "https://microsoft.com/devicelogin", "A-B", NOW)
    shown = "\n".join("".join(span.text for span in each.spans) for each in prompt_lines(prompt))
    assert "sign in at adfs.evil.example:8443" in shown
    assert "https://microsoft.com/devicelogin" in shown


def test_what_az_would_fail_at_stands_beside_the_ok() -> None:
    """With its remedy, whose command `y` copies."""
    found = finding(COMMAND)
    az = ClientResult("az", "/usr/bin/az", "2.91.0", (), False, found.id, (found,))
    check = replace(live(HEALTHY), diagnosis=Diagnosis(None, (), (az,)))
    shown = rendered(check)
    assert f"OK for stacktui · az would fail: {found.id}" in shown
    assert "az 2.91.0 (/usr/bin/az) would fail" in shown
    assert found.title in shown
    assert copied_of(check.diagnosis) is COMMAND
    works = replace(az, works=True, findings=())
    shown = rendered(replace(check, diagnosis=Diagnosis(None, (), (works, az))))
    assert "OK for stacktui" not in shown


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_s_password_is_on_no_screen(proxy: str, tmp_path: Path) -> None:
    environment = Environment("Test", "https://arm.example", proxy=proxy)
    shown = detail(environment, AppState(tmp_path / "config.toml"), UNICODE)
    assert "hunter2" not in repr(shown)
    assert "proxy.example:8080" in repr(shown)


def test_y_copies_a_command_also_seen_only_without_a_verdict() -> None:
    assert copied_of(Diagnosis(finding(PLAIN, COMMAND, SET), (finding(ACCEPT),))) is COMMAND
    assert copied_of(Diagnosis(finding(PLAIN), (finding(COMMAND),))) is None
    assert copied_of(Diagnosis(None, (finding(PLAIN), finding(COMMAND)))) is COMMAND
    assert copied_of(None) is None


def test_an_environment_shows_where_each_endpoint_comes_from_and_what_was_recorded(
    tmp_path: Path,
) -> None:
    own = {CloudKey.GALLERY: "https://own.example/"}
    west = Environment("West", "https://management.west.contoso.example", endpoints=own)
    seen = Metadata(
        "2015-01-01", "https://adfs.west.contoso.example/adfs", "aud/", IdentityProvider.ADFS,
        portal="https://portal.west.contoso.example/", keyvault_suffix=".v.example",
        derived=frozenset({CloudKey.KEYVAULT_SUFFIX}),
    )  # fmt: skip
    known = replace(seen, portal="https://old.example/", graph="https://graph.example/")
    record = StampRecord(west.arm, seen.login_endpoint, "aud/", NOW, more=more_of(known))
    app_state = AppState(tmp_path / "config.toml", records={"West": record})

    def lines() -> list[str]:
        found = detail(west, app_state, UNICODE)
        return [" ".join("".join(span.text for span in each.spans).split()) for each in found]

    assert "portal https://old.example/ metadata" in lines()  # before the first check
    check = LiveCheck(CheckTarget(west), CheckState.FINISHED, NOW)
    done = StepResult(StepName.METADATA, StepOutcome.OK, 0.1, Evidence(result=seen))
    app_state.checks["West"] = replace(check, steps=(LiveStep(StepName.METADATA, step=done),))
    shown = lines()
    for wanted in (
        "login https://adfs.west.contoso.example/adfs metadata",
        "audience aud/ metadata",
        "gallery https://own.example/ you",
        "key vault .v.example naming rule",
        "portal https://portal.west.contoso.example/ metadata",
        "! recorded: https://old.example/",
    ):
        assert wanted in shown, (wanted, shown)


def test_a_wide_list_has_the_settings_of_each_environment_too(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[environments.West]\narm = "https://management.west.example"\nidentity = "ops"\n'
        '[identities.ops]\nkind = "device-code"\n'
    )
    provider = {"identity_provider": "ADFS", "api_version": "2015-01-01"}
    record = StampRecord("https://management.west.example", "https://a/adfs", "aud", NOW,
                         more=provider)  # fmt: skip
    app_state = AppState(config, load_settings(config), records={"West": record})
    streak = Streak(NOW, NOW, True, checks=3)
    app_state.history = {"West": Recalled(CheckSummary("West", NOW, 0.2, True), (streak,))}
    widest, *_ = environment_row("West", app_state, UNICODE).column_sets
    texts = ["".join(span.text for span in cell) for cell in widest]
    assert texts[0] == "✓ ok"
    assert texts[3].startswith("since 2026-05-03")
    assert texts[4:] == ["west", "AD FS", "2020-09-01-hybrid", "ops"]
