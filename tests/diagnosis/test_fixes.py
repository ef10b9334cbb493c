"""The remedies that stacktui carries out itself: which there are, and what they change."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacktui.diagnosis.finding import Action, ActionKind, Diagnosis, Finding, Remedy, Side
from stacktui.diagnosis.fixes import Fix, fixes_of, plan_fix
from stacktui.transport.limits import Limits

PLAIN, COMMAND = Remedy("Ask somebody"), Remedy("Run it", "true", "$true")
SET = Remedy("Set it", "set", "set", Action(ActionKind.SET, "profile", "2018-03-01-hybrid"))
ACCEPT = Remedy("Accept it", "accept", "accept", Action(ActionKind.ACCEPT))
PROXIES = [
    "ops:hunter2@proxy.example:8080",
    "http://ops:hunter2@proxy.example:8080",
    "HTTP://hunter2@proxy.example:8080",
]


def finding(*remedies: Remedy) -> Finding:
    return Finding("an-id", "A title", Side.BOX, (), remedies, "")


def test_the_verdict_s_fixes_come_before_what_was_also_seen() -> None:
    both = Diagnosis(finding(PLAIN, SET), (finding(ACCEPT), finding(SET)))
    assert [(each.remedy, each.also_seen) for each in fixes_of(both)] == [
        (SET, False),
        (ACCEPT, True),
    ]
    assert [each.remedy for each in fixes_of(Diagnosis(None, (finding(ACCEPT),)))] == [ACCEPT]
    assert not fixes_of(Diagnosis(finding(PLAIN, COMMAND)))
    assert not fixes_of(None)


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_s_password_is_in_no_change_and_in_no_notice(proxy: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[environments.Test]\narm = "https://arm.example"\nproxy = "{proxy}"\n')
    action = Action(ActionKind.SET, key="proxy", value="none")
    remedy = Remedy("A fix", action=action)
    change = plan_fix(Fix(finding(remedy), remedy, action), config, "Test", Limits())
    ((_, before, after),) = change.values
    assert (before.rpartition("/")[2], after) == ("proxy.example:8080", "none")
    assert change.carry_out is not None
    notice = change.carry_out()
    assert "proxy.example:8080" in notice
    assert "hunter2" not in before + notice
