"""`stacktui explain` as a process: faults, messages, the list, and what it keeps to itself."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.diagnosis.catalogue_export import shown_remedies
from stacktui.diagnosis.fault import Group
from tests.cli.test_imports import HEAVY, imported_by, main
from tests.product import PATIENCE, Ran, stacktui

ISSUER = "certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)"
REFUSED = (
    "ERROR: Unable to get endpoints from the cloud.\nPlease ensure you have network connection. "
    "Error detail: NewConnectionError: [Errno 111] Connection refused"
)


def piped(raw: bytes, *arguments: str, **variables: str) -> Ran:
    """`stacktui explain -` with `raw` on its stdin."""
    done = subprocess.run(
        [sys.executable, "-m", "stacktui", "explain", "-", *arguments],
        env=dict(os.environ) | {"PYTHONIOENCODING": "utf-8"} | variables,
        input=raw,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def redirected(raw: bytes, *arguments: str) -> Ran:
    """The same from a file."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(raw)
        file.flush()
        return stacktui("explain", "-", *arguments, stdin=file.name)


def found(ran: Ran) -> list[str]:
    return [each["id"] for each in ran.document["entries"]]


def test_an_id_is_explained() -> None:
    ran = stacktui("explain", "tls-expired")
    assert (ran.code, ran.err) == (0, "")
    first, *rest = ran.out.splitlines()
    assert first == "tls-expired · TLS · side: the stamp or this box"
    text = " ".join(" ".join(rest).split())
    fault = EVERY_FAULT["tls-expired"]
    first_remedy, second_remedy, *_ = shown_remedies(fault)
    for part in (
        fault.meaning, fault.distinguishing_evidence, fault.az_says, first_remedy.title,
    ):  # fmt: skip
        assert part in text
    assert second_remedy.bash in ran.out


def test_an_id_as_json_has_the_names_of_a_report() -> None:
    (entry,) = stacktui("explain", "TLS-Intercepted", "--format", "json").document["entries"]
    assert entry["id"] == "tls-intercepted"
    assert entry["sides"] == ["network"]
    assert "tls-untrusted-root" in entry["look_alikes"]
    assert {"title", "bash", "powershell"} == set(entry["remedies"][0])
    assert entry["az_says"]


def test_an_id_as_markdown_has_both_shells() -> None:
    out = stacktui("explain", "clock-skew", "--format", "markdown").out
    assert out.startswith("## `clock-skew`, side: this box or the stamp\n")
    assert "```bash\n" in out
    assert "```powershell\n" in out
    assert out.count("```") % 2 == 0


def test_several_ids_are_explained_in_their_order() -> None:
    ran = stacktui("explain", "tcp-timeout", "tcp-refused", "--format", "json")
    assert found(ran) == ["tcp-timeout", "tcp-refused"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tls-experied", "tls-expired"),
        ("dns-notfound", "dns-not-found"),
        ("unexplaned", "unexplained"),
        ("Clock-Scew", "clock-skew"),
        ("proxy", "proxy-unreachable or proxy-auth-required or proxy-refused"),
    ],
)
def test_a_mistyped_id_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    ran = stacktui("explain", typed)
    assert (ran.code, ran.out) == (2, "")
    assert f"did you mean {meant}" in ran.err


def test_what_is_no_id_at_all_has_no_nearest() -> None:
    ran = stacktui("explain", "zzzzzz")
    assert ran.code == 2
    assert "did you mean" not in ran.err
    assert "--list" in ran.err


@pytest.mark.parametrize("arguments", [(), ("--list", "tls-expired")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    ran = stacktui("explain", *arguments)
    assert (ran.code, ran.out) == (2, "")


def test_a_message_that_means_several_things_says_what_distinguishes_them() -> None:
    ran = stacktui("explain", ISSUER)
    assert ran.code == 0
    text = " ".join(ran.out.split())
    heads = [line for line in ran.out.splitlines() if line[:2] in ("1.", "2.", "3.")]
    assert [head.split()[1] for head in heads] == [
        "tls-untrusted-root", "tls-missing-intermediate", "tls-intercepted",
    ]  # fmt: skip
    assert "evidence: The chain leads to a root" in text
    assert "stacktui check" in text


def test_a_message_that_means_one_thing_is_explained_with_its_fix() -> None:
    ran = piped(REFUSED.encode())
    assert ran.code == 0
    assert ran.out.startswith("It means tcp-refused")
    assert "How to fix it" in ran.out


def test_words_without_quotes_are_one_message() -> None:
    ran = stacktui("explain", *ISSUER.split(), "--format", "json")
    assert found(ran)[0] == "tls-untrusted-root"


def test_a_code_alone_is_a_message() -> None:
    for code, id_ in {
        "AADSTS7000215": "sp-secret-wrong",
        "MSIS9605": "adfs-client-not-allowed",
        "AuthorizationFailed": "arm-forbidden",
        "enotfound": "dns-not-found",
    }.items():
        assert found(stacktui("explain", code, "--format", "json"))[0] == id_


def test_the_json_of_a_message_says_why() -> None:
    document = stacktui("explain", ISSUER, "--format", "json").document
    assert document["entries"][0]["because"] == ["the issuer is not known (20)"]
    assert document["notes"]


def test_what_nothing_is_known_of_is_said_so() -> None:
    ran = stacktui("explain", "the printer is out of paper")
    assert ran.code == 1
    assert ran.err == ""
    assert ran.out.startswith("Nothing in this message is known")
    assert "stacktui check" in ran.out
    assert stacktui("explain", "paper jam", "--format", "json").document["entries"] == []
    assert redirected(b"").code == redirected(b" \n").code == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_file_of_any_shell_is_read_from_stdin(encoding: str) -> None:
    assert found(redirected(REFUSED.encode(encoding), "--format", "json")) == ["tcp-refused"]


@pytest.mark.parametrize(
    "raw",
    [bytes(range(256)) * 300, b"\xff\xfe\xd8", b"\x1b]0;x\x07" * 99],
    ids=["every byte", "half a character", "titles of a terminal"],
)
def test_any_bytes_on_stdin_are_answered(raw: bytes) -> None:
    ran = redirected(raw)
    assert ran.code == 1
    assert "\x1b" not in ran.out + ran.err


def test_what_is_too_long_is_cut_and_said_so() -> None:
    ran = piped(b"x " * (1024 * 1024) + REFUSED.encode())
    assert ran.code == 1
    assert "only the first MiB" in ran.err


@pytest.mark.parametrize("format_", ["text", "json", "markdown"])
def test_nothing_that_was_pasted_is_shown_again(format_: str) -> None:
    secret = "8mK~hunter2.Qx_Zw-0123456789abcdefghijkl"
    token = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"
    message = (
        f"client_secret={secret}&grant_type=client_credentials\nAuthorization: Bearer {token}\n"
        "AADSTS7000215: Invalid client secret provided."
    )
    for ran in (
        stacktui("explain", message, "--format", format_),
        redirected(message.encode(), "--format", format_),
        stacktui("explain", secret, "--format", format_),
        stacktui("explain", "d0nt-show-this-0123456789", "--format", format_),
    ):
        for shown in (ran.out, ran.err):
            assert secret not in shown
            assert token not in shown
            assert "show-this" not in shown


def test_the_list_has_every_id_under_its_group() -> None:
    out = stacktui("explain", "--list").out
    lines = out.splitlines()
    assert [line for line in lines if line in list(Group)] == list(Group)
    assert {line.split()[0] for line in lines if line.startswith("  ")} >= set(EVERY_FAULT)
    document = stacktui("explain", "--list", "--format", "json").document
    assert [each["id"] for each in document["entries"]] == list(EVERY_FAULT)


def _texts() -> list[tuple[str, ...]]:
    return [("--list",), (ISSUER,), ("Unable to get endpoints from the cloud.",), ("paper jam",)]


@pytest.mark.parametrize("arguments", _texts())
def test_text_fits_a_small_terminal(arguments: tuple[str, ...]) -> None:
    for line in stacktui("explain", *arguments).out.splitlines():
        assert len(line) <= 80, line


def test_only_commands_are_wider_than_a_small_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from stacktui.cli.explain_output import write_faults

    for fault in EVERY_FAULT.values():
        write_faults([fault])
        remedies = shown_remedies(fault)
        commands = {command for each in remedies for command in (each.bash, each.powershell)}
        for line in capsys.readouterr().out.splitlines():
            assert len(line) <= 80 or line.strip() in commands, line


def test_a_terminal_without_the_signs_gets_ascii() -> None:
    for arguments in [*_texts(), ("imds-no-identity",)]:
        ran = stacktui("explain", *arguments, encoding="ascii", NO_COLOR="1")
        assert ran.out.isascii()
        assert "?" not in ran.out.replace("??", "")
        assert "\x1b" not in ran.out


@pytest.mark.parametrize(
    "arguments", [("explain", "tls-expired"), ("explain", ISSUER), ("explain", "--list")]
)
def test_explaining_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    imported = imported_by(main(*arguments))
    assert "stacktui.cli.explain_output" in imported
    assert not imported & HEAVY


def test_no_config_is_read(tmp_path: Path) -> None:
    broken = tmp_path / "config.toml"
    broken.write_text("this is = no [toml", encoding="utf-8")
    ran = stacktui("explain", "tls-expired", "--config", str(broken))
    assert ran.code == 0
    assert "is not read here" in ran.err


def test_a_reader_that_goes_away_is_no_fault() -> None:
    command = shlex.join([sys.executable, "-m", "stacktui", "explain", "--list"])
    done = subprocess.run(
        f"{command} | head -n 1", shell=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "reach"
    assert "Traceback" not in done.stderr


def test_json_is_one_document() -> None:
    assert json.loads(stacktui("explain", "--list", "--format", "json").out)["schema"] == 1
