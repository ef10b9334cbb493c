"""A remedy that is written once: filled with values for each shell, and shown before any is met."""

from __future__ import annotations

import shlex

import pytest

from stacktui.diagnosis.finding import Action, ActionKind, Remedy
from stacktui.diagnosis.remedy_template import PlainWord, RemedyTemplate, for_both

ODD = "it's $(id)"


def commands(template: RemedyTemplate, **values: object) -> tuple[str, str]:
    remedy = template.fill(**values)  # type: ignore[arg-type]
    return remedy.bash, remedy.powershell


def test_a_text_becomes_one_word_of_each_shell() -> None:
    in_bash, in_powershell = commands(for_both("Ask", "ask {host} now"), host=ODD)
    assert shlex.split(in_bash) == ["ask", ODD, "now"]
    assert in_powershell == "ask 'it''s $(id)' now"


def test_each_shell_has_its_own_command() -> None:
    template = RemedyTemplate("Ask", "getent ahosts {host}", "Resolve-DnsName {host}")
    assert commands(template, host="arm.test") == (
        "getent ahosts arm.test",
        "Resolve-DnsName 'arm.test'",
    )


def test_a_title_has_the_values_as_they_are() -> None:
    assert RemedyTemplate("Ask {host} on {port}").fill(host=ODD, port=443).title == (
        f"Ask {ODD} on 443"
    )


def test_a_number_stands_as_it_is() -> None:
    assert commands(for_both("Wait", "sleep {seconds}"), seconds=17) == ("sleep 17", "sleep 17")


def test_a_plain_word_stands_as_it_is() -> None:
    template = RemedyTemplate("Set {name}", "export {name}", "$env:{name} = 1")
    remedy = template.fill(name=PlainWord("ARM_SECRET"))
    assert remedy == Remedy("Set ARM_SECRET", "export ARM_SECRET", "$env:ARM_SECRET = 1")


def test_a_function_makes_of_the_shells_quoting_what_it_likes() -> None:
    template = for_both("Check", "check{option}")
    several = commands(template, option=lambda quote: f" --config {quote('a b')}")
    assert several == ("check --config 'a b'", "check --config 'a b'")
    only_quoted_in_powershell = commands(template, option=lambda quote: f" -- {quote('ab')}")
    assert only_quoted_in_powershell == ("check -- ab", "check -- 'ab'")
    assert commands(template, option=lambda _: "") == ("check", "check")


def test_what_a_value_says_is_no_place() -> None:
    """Values come from outside: one with braces fills nothing."""
    template = for_both("Ask {host}", "ask {host} {port}")
    remedy = template.fill(host="{port}", port=443)
    assert remedy == Remedy("Ask {port}", "ask '{port}' 443", "ask '{port}' 443")


def test_the_shells_own_variables_stay() -> None:
    template = RemedyTemplate("Go round", 'no_proxy={name},"${no_proxy}" ${x%,}', "${env:no_proxy}")
    assert commands(template, name="arm.test") == (
        'no_proxy=arm.test,"${no_proxy}" ${x%,}',
        "${env:no_proxy}",
    )
    assert template.in_catalogue().bash == 'no_proxy=NAME,"${no_proxy}" ${x%,}'


@pytest.mark.parametrize(
    "template",
    [RemedyTemplate("Ask {host}"), RemedyTemplate("Ask", "ask {host}"), for_both("A", "a {host}")],
)
def test_a_missing_value_is_an_error(template: RemedyTemplate) -> None:
    with pytest.raises(KeyError, match="host"):
        template.fill(port=443)


def test_values_of_other_remedies_are_left_out() -> None:
    assert for_both("Ask", "ask").fill(host=ODD) == Remedy("Ask", "ask", "ask")


def test_an_action_goes_along() -> None:
    action = Action(ActionKind.SET, key="arm", value="https://arm.test")
    assert for_both("Set", "set").fill(action).action is action
    assert for_both("Set", "set").fill().action is None


def test_the_catalogue_shows_places_in_capitals() -> None:
    template = RemedyTemplate("Ask {host}", "ask {host} {request_id}", "Ask-It {host}")
    assert template.in_catalogue() == Remedy("Ask HOST", "ask HOST REQUEST_ID", "Ask-It HOST")


def test_the_catalogue_shows_what_the_environment_fills() -> None:
    template = for_both("Correct arm under {section}", "stacktui check{config}{environment}")
    shown = template.in_catalogue()
    assert shown == Remedy(
        "Correct arm under the environment", "stacktui check NAME", "stacktui check NAME"
    )


def test_the_catalogue_shows_the_words_that_a_template_has_for_a_place() -> None:
    template = for_both("Ask {host}", "ask {host}{environment} {port}", port="443", environment="")
    assert template.in_catalogue() == Remedy("Ask HOST", "ask HOST 443", "ask HOST 443")
    # They fill nothing.
    with pytest.raises(KeyError, match="port"):
        template.fill(host="arm.test", environment="")
