"""The real dashboard with the real check against the real embedded stamp."""

from __future__ import annotations

import asyncio
import os
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic
from urllib.request import Request, urlopen

import pytest

from stacktui.stamp import IdentityProvider, SignInKind, StampOptions, run_in_thread
from stacktui.stamp.running import RunningStamp
from stacktui.tui.app import StacktuiApp
from tests.product import config_text, signing_in
from tests.support.python_environments import python_environment
from tests.support.sessions import trusting_file

from .screen import PATIENCE, flat, paste, read, resize, settle, text_of, type_in, until, write

WIDE = (120, 40)
Start = Callable[..., RunningStamp]


@pytest.fixture
def start(config: Path, entra_stamp: RunningStamp) -> Iterator[Start]:
    """A stamp with options, and a config for it."""
    with ExitStack() as stack:

        def started(**options: object) -> RunningStamp:
            stamp = entra_stamp
            if options:
                stamp = stack.enter_context(run_in_thread(StampOptions(**options)))  # type: ignore[arg-type]
            write(config, config_text(stamp.describe()))
            return stamp

        yield started


@pytest.mark.parametrize("idp", list(IdentityProvider))
async def test_a_healthy_stamp(start: Start, config: Path, idp: IdentityProvider) -> None:
    stamp = start(idp=idp, groups=18)
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("c")
        shown = await until(pilot, "Signed in and read 18 resource groups. Nothing is wrong.")
        assert "Entra ID" in shown if idp is IdentityProvider.AAD else "AD FS" in shown
        assert "certifi + ca" in shown
        await until(pilot, " days")
        for keys in ("2", "enter", "escape", "3", "enter", "escape", "4", "0", "enter", "G"):
            await pilot.press(keys)
            await settle(pilot)
            assert_nothing_secret(text_of(pilot.app), stamp)


async def test_a_list_that_was_cut_says_so_and_is_healthy(
    config: Path, entra_stamp: RunningStamp
) -> None:
    write(config, config_text(entra_stamp.describe(), limits="{ rows = 5 }"))
    async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
        shown = await until(pilot, "Signed in and read the first 5 resource groups.")
        assert "limits.rows=15" in shown
        assert "─ 5+ · " in shown


@pytest.mark.parametrize(
    ("fault", "side"),
    [
        ("tls-untrusted-root", "this box"),
        ("tls-expired", "the stamp"),
        ("tls-name-mismatch", "side: "),
        ("metadata-intercepted", "the network"),
        ("metadata-not-json", "the stamp"),
        ("sp-secret-wrong", "sign-in"),
        ("arm-forbidden", "side: "),
        ("arm-server-error", "the stamp"),
    ],
)
async def test_every_fault_shows_its_verdict(
    start: Start, config: Path, fault: str, side: str
) -> None:
    stamp = start(fault=fault)
    async with StacktuiApp(config, auto_check=True).run_test(size=(80, 23)) as pilot:
        shown = await until(pilot, f"✗ {fault}")
        assert side in shown
        assert re.search(r"^\W*fix +\S", shown, re.MULTILINE)
        assert "FAULT" in shown
        await pilot.press("0", "enter", "G")
        await settle(pilot)
        assert_nothing_secret(text_of(pilot.app), stamp)


async def test_a_missing_secret_is_a_fault_like_any_other(start: Start, config: Path) -> None:
    stamp = start()
    write(config, config_text(stamp.describe(), secret='{ env = "GONE" }'))
    async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
        shown = await until(pilot, "✗ secret-missing")
        assert "GONE" in shown
        assert "✓ metadata" in shown


async def test_an_environment_without_an_identity(start: Start, config: Path) -> None:
    stamp = start()
    write(config, config_text(stamp.describe()).replace('identity = "tester"\n', ""))
    async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
        shown = await until(pilot, "The stamp answers. Sign-in was not tried.")
        assert "skipped: no identity is configured" in shown
        assert "· metadata ok, sign-in not tried ─" in shown  # the title
        assert not re.search(r"\bOK\b|✓ ok", shown)
        for size, state in (((80, 23), "✓ metadata ok, sign-in not tried"), ((60, 16), "✓ metad")):
            await resize(pilot, *size)
            assert state in text_of(pilot.app)


async def test_esc_cancels_within_a_fifth_of_a_second(start: Start, config: Path) -> None:
    start(latency=30.0)
    async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
        await until(pilot, "waiting for first byte")
        pressed = monotonic()
        await pilot.press("escape")
        await until(pilot, "cancelled  press c")
        assert monotonic() - pressed < 1.0  # the bound is 0.2 s; a busy machine gets some more


async def test_a_device_code_is_shown_until_somebody_signs_in(config: Path) -> None:
    with run_in_thread(StampOptions(device_interval=1)) as stamp:
        described = stamp.describe()
        write(config, config_text(described, **signing_in(SignInKind.DEVICE_CODE, described)))
        async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
            await until(pilot, "To sign in at ")
            await pilot.press("enter")  # back to the check, which goes on waiting
            await until(pilot, "esc cancels")
            for size in (WIDE, (80, 23)):
                await resize(pilot, *size)
                shown = await until(pilot, "To sign in at ")
                assert f"page {stamp.device_login_url}" in flat(shown)
                assert "esc cancels" in shown
            code = flat(shown).partition(" code ")[2].split()[0]
            # Nothing but the seconds changes while the sign-in service is polled.
            asked = len(stamp.requests)
            async with asyncio.timeout(PATIENCE):
                while len(stamp.requests) < asked + 2:  # noqa: ASYNC110 - another thread's list
                    await asyncio.sleep(0.05)
            seconds = re.compile(r"\b\d+ s\b")
            assert seconds.sub("", text_of(pilot.app)) == seconds.sub("", shown)
            form = f"user_code={code}&username={stamp.user}&password={stamp.password}"
            request = Request(stamp.device_login_url, form.encode())
            trusted = trusting_file(stamp.ca_file)
            done = await asyncio.to_thread(urlopen, request, context=trusted)
            done.close()
            shown = await until(pilot, "Nothing is wrong.")
            assert code not in shown
            assert_nothing_secret(shown, stamp)


async def test_esc_ends_the_wait_for_a_device_code(config: Path, entra_stamp: RunningStamp) -> None:
    described = entra_stamp.describe()
    write(config, config_text(described, **signing_in(SignInKind.DEVICE_CODE, described)))
    async with StacktuiApp(config, auto_check=True).run_test(size=WIDE) as pilot:
        await until(pilot, "To sign in at ")
        pressed = monotonic()
        await pilot.press("escape")
        shown = await until(pilot, "cancelled  press c")
        assert monotonic() - pressed < 1.0  # as above
        assert "browser" not in shown


async def test_identities_of_every_kind_are_shown(config: Path, entra_stamp: RunningStamp) -> None:
    described = entra_stamp.describe()
    for by, said in (
        (SignInKind.PASSWORD, ("user", f"user name {entra_stamp.user}", "password from file")),
        (SignInKind.DEVICE_CODE, ("device code", "client id 04b07795")),
        (SignInKind.MANAGED_IDENTITY, ("managed identity", "the machine's own")),
    ):
        write(config, config_text(described, **signing_in(by, described)))
        async with StacktuiApp(config).run_test(size=WIDE) as pilot:
            await pilot.press("3")
            shown = flat(await until(pilot, "tester"))
            for text in said:
                assert text in shown, shown


async def test_closing_with_a_check_under_way_is_quick(start: Start, config: Path) -> None:
    start(latency=30.0)
    app = StacktuiApp(config, auto_check=True)
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, "waiting for first byte")
        pressed = monotonic()
        await pilot.press("q")
    assert monotonic() - pressed < 2.0


async def test_adding_a_stamp_asks_it_for_the_rest(start: Start, config: Path) -> None:
    stamp = start(idp=IdentityProvider.ADFS)
    write(config, "# mine\n")
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("a")
        await until(pilot, "Paste the ARM URL")
        await paste(pilot, stamp.arm_url)
        await pilot.press("tab")
        await type_in(pilot, "Here")
        await pilot.press("tab")
        await paste(pilot, str(stamp.ca_file))
        await pilot.press("enter")
        shown = await until(pilot, "signed by")
        for said in ("✓ metadata", "AD FS, https://", "audience", "SHA-256", "enter save"):
            assert said in shown, said
        assert "Here" not in read(config)
        await pilot.press("enter")
        shown = await until(pilot, "✓ metadata ok")
        assert "Here" in shown
    text = read(config)
    assert text.count("# mine") == 1
    assert f'arm = "{stamp.arm_url}"' in text
    assert f'ca = "{stamp.ca_file}"' in text


async def test_a_fault_in_discovery_shows_a_remedy_or_can_be_saved_nevertheless(
    start: Start, config: Path
) -> None:
    stamp = start(fault="tls-untrusted-root")
    write(config, "")
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("a")
        await paste(pilot, stamp.arm_url)
        await pilot.press("tab")
        await type_in(pilot, "Here")
        await pilot.press("enter")
        shown = await until(pilot, "✗ tls-untrusted-root")
        assert re.search(r"^\W*fix +\S", shown, re.MULTILINE)
        assert "s save nevertheless" in shown
        await pilot.press("escape")
        await until(pilot, "enter ask the stamp")
        await pilot.press("enter")
        await until(pilot, "s save nevertheless")
        await pilot.press("ctrl+s")
        await until(pilot, "0 Check")
    assert f'arm = "{stamp.arm_url}"' in read(config)


async def test_discovery_is_cancelled_by_esc(start: Start, config: Path) -> None:
    stamp = start(latency=30.0)
    write(config, "")
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("a")
        await paste(pilot, stamp.arm_url)
        await pilot.press("tab")
        await type_in(pilot, "Here")
        await pilot.press("tab")
        await paste(pilot, str(stamp.ca_file))
        await pilot.press("enter")
        await until(pilot, "waiting for first byte")
        await pilot.press("escape")
        await until(pilot, "enter ask the stamp")
        await pilot.press("escape")
        await until(pilot, "y drops what was changed")
        await pilot.press("y")
        await until(pilot, "0 Check")
    assert read(config) == ""


async def test_a_ca_file_of_nobody_is_explained_where_it_was_typed(config: Path) -> None:
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("a")
        await paste(pilot, "https://management.west.example")
        await pilot.press("tab", "tab")
        await paste(pilot, "~no-such-user-here/ca.pem")
        await pilot.press("enter")
        await until(pilot, "starts from a folder that is not there")


async def test_a_wrong_url_is_explained_where_it_was_typed(config: Path) -> None:
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("a")
        for wrong, said in (
            ("", "✗ must be https://host[:port]"),
            ("http://management.west.example", "must be https, not http"),
            ("https://u:hunter2@management.west.example", "must not hold a user name"),
            ("https://host:99999", "with a port from 1 to 65535"),
        ):
            await pilot.press("ctrl+u")
            assert said not in text_of(pilot.app)
            await paste(pilot, wrong)
            await pilot.press("enter")
            shown = await until(pilot, said)
            assert "enter ask the stamp" in shown
    assert not read(config)


async def test_a_name_that_is_taken_is_refused(config: Path) -> None:
    write(config, '[environments.west]\narm = "https://management.west.example"\n')
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        await pilot.press("a")
        await paste(pilot, "https://management.west.example")
        await until(pilot, "west-2")
        await pilot.press("tab", *"west", "enter")
        await until(pilot, "there is an environment west already")


def assert_nothing_secret(shown: str, stamp: RunningStamp) -> None:
    secret = Path(stamp.secret_file).read_text(encoding="utf-8").strip()
    assert secret not in shown
    assert "eyJ" not in shown


@contextmanager
def _no_descriptor() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    taken = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_machine_that_gives_out_ends_the_check_alone(start: Start, config: Path) -> None:
    start()
    app = StacktuiApp(config)
    async with app.run_test(size=(80, 23)) as pilot:
        await pilot.press("c")
        await until(pilot, "Nothing is wrong.")
        app.history.close()  # which gives back the descriptors of its file
        with _no_descriptor():
            await pilot.press("c")
            shown = await until(pilot, "too many open files: raise the limit (ulimit -n)")
        assert "This is no fault of your stamp." in shown
        await pilot.press("c")
        await until(pilot, "Nothing is wrong.")


async def test_other_clients_are_shown_with_their_environment(
    start: Start, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = read(Path(start().ca_file)).encode()
    python_environment(tmp_path / "good", "azure_mgmt_resource-24.0.0", roots=roots)
    python_environment(tmp_path / "new", "azure_mgmt_resource-26.0.0", roots=roots)
    write(config, f'clients.python = ["{tmp_path / "good"}"]\n{read(config)}')
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "new"))
    async with StacktuiApp(config).run_test(size=WIDE) as pilot:
        assert "python" not in text_of(pilot.app)
        await pilot.press("c")
        await until(pilot, "Nothing is wrong.")
        await pilot.press("1")
        shown = flat(await until(pilot, "works with this stamp"))
        assert "✗ sdk-too-new" in shown
        assert shown.index("✗ sdk-too-new") < shown.index("✓ works with this stamp")
        assert "how to fix them: stacktui clients" in shown
