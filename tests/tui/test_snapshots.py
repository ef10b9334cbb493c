"""Snapshots of every screen; read each change after `--snapshot-update`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion

from stacktui.certificates import export, trust_root, untrust_root
from stacktui.check import role_grant
from stacktui.environments.record import StampRecord, more_of, write_record
from stacktui.identities.token_source import SignIn
from stacktui.tui import (
    arm_reader,
    arm_task,
    identity_walker,
    live_walk,
    resource_counter,
    role_reader,
    scan_runner,
)
from stacktui.tui.app import StacktuiApp
from stacktui.tui.panes import certificates, check, environments, identity_state
from stacktui.tui.screens import device_code, managed_identity, operations

from . import canned, canned_certificates, canned_trust
from .canned import CONFIG, HOSTILE_CONFIG, canned_app
from .canned_arm import CannedArm, deletions
from .canned_certificates import STARTED
from .canned_scan import scans
from .canned_walk import WALKS, CannedWalk
from .screen import resize, shown, until

Sizes = Mapping[str | None, tuple[int, int]]
SIZES: Sizes = {"120x40": (120, 40), "80x23": (80, 23)}
DOWN_TO_THE_LEAST: Sizes = {**SIZES, "40x10": (40, 10)}
# For what a resize does not bring up as a start at that size does: a dialog keeps the height of
# its text, and a scrolled text its first line.
STARTED_AT = pytest.mark.parametrize(
    "sizes", [{None: size} for size in SIZES.values()], ids=SIZES.keys()
)
STARTED_SMALL = pytest.mark.parametrize(
    "sizes", [{None: (80, 23)}, {None: (40, 10)}], ids=["80x23", "40x10"]
)
# A form has to be of use on the smallest screen too.
FORM_SIZES: Sizes = SIZES | {"40x10": (40, 10)}
Step = tuple[Sequence[str], str]
Compare = Callable[..., Awaitable[None]]
HEALTHY = canned.events_of(canned.HEALTHY)
FAULT = canned.events_of(canned.UNTRUSTED)
WAITING = canned.waiting_for_first_byte()


@pytest.fixture(autouse=True)
def _at_the_time_of_the_canned_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity_state, "now", lambda: STARTED)


@pytest.fixture
def compare(snapshot: SnapshotAssertion) -> Compare:
    """Return a function that presses keys, waiting for a text after each step, and compares the
    screen with its snapshot: at the first size, and after a resize at the others."""
    pictures = snapshot.use_extension(SVGImageExtension)

    async def run(app: StacktuiApp, *steps: Step, sizes: Sizes = SIZES) -> None:
        async with app.run_test(size=next(iter(sizes.values()))) as pilot:
            for keys, text in steps:
                await pilot.press(*keys)
                await until(pilot, text)
            await shown(pilot)
            for name, size in sizes.items():
                if app.size != size:
                    await resize(pilot, *size)
                await pilot.pause()
                assert app.export_screenshot(simplify=True) == pictures(name=name)

    return run


async def test_first_start(compare: Compare, config: Path) -> None:
    app = canned_app(config, start_demo=lambda: config)
    await compare(app, ((), "No environments yet."))


async def test_broken_config(compare: Compare, config: Path) -> None:
    app = canned_app(config, text="active = [\n")
    await compare(app, ((), "cannot be used"))


async def test_idle(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    await compare(app, ((), "Press c to check"))


async def test_running(compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for pane in (check, environments):
        monkeypatch.setattr(pane, "monotonic", lambda: 4.2)
    app = canned_app(config, WAITING, text=CONFIG)
    await compare(app, ("c", "waiting for first"), sizes=DOWN_TO_THE_LEAST)


async def test_cancelled(compare: Compare, config: Path) -> None:
    app = canned_app(config, WAITING, text=CONFIG)
    steps = (("c", "waiting for first"), (("escape",), "to check again"))
    await compare(app, *steps)


async def test_healthy(compare: Compare, config: Path) -> None:
    app = canned_app(config, HEALTHY, text=CONFIG)
    steps = (("c", "Signed in"), ("2", "! 25 days"), ("1", "1 Env"))
    await compare(app, *steps)


async def test_metadata_only(compare: Compare, config: Path) -> None:
    app = canned_app(config, canned.events_of(canned.METADATA_ONLY), text=CONFIG)
    steps = ((("j", "j", "c"), "Sign-in was not tried"), ("2", "! 25 days"), ("1", "1 Env"))
    await compare(app, *steps)


async def test_fault(compare: Compare, config: Path) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    steps = (("c", "tls-untrusted-root"), ("2", "! 25 days"), ("1", "tls-untrusted-root"))
    await compare(app, *steps, sizes=DOWN_TO_THE_LEAST)


async def test_exporting(compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CONFIG_DIR", "azure")
    app, known = canned_app(config, text=CONFIG), canned.environment()
    record = StampRecord(known.arm, canned.METADATA.login_endpoint, canned.METADATA.audience,
                         STARTED, more=more_of(canned.METADATA))  # fmt: skip
    assert write_record(config, known, record) == ""
    await compare(app, ("x", "is not registered"), sizes=DOWN_TO_THE_LEAST)


async def test_help(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    await compare(app, (("?",), "Everywhere"))


async def test_palette(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    steps = ((("?",), "Everywhere"), (("escape", ":"), "Commands"), ("e", "/e"))
    await compare(app, *steps)


async def test_add_environment(compare: Compare, config: Path) -> None:
    app = canned_app(config, canned.events_of(canned.METADATA_ONLY))
    arm = "https://management.west.contoso.example"
    # The tenant comes with the other shape of the metadata, after the check.
    steps = (("a", "Paste the ARM URL"), (arm, "west"), (("enter",), "2e1a19d5-0000"))
    await compare(app, *steps)


@pytest.mark.parametrize("what", ["empty", "wrong", "choosing", "edited", "asked", "found"])
async def test_environment_form(compare: Compare, config: Path, what: str) -> None:
    app = canned_app(config, canned.events_of(canned.METADATA_ONLY), text=CONFIG)
    steps: dict[str, tuple[Step, ...]] = {
        "empty": (("a", "ARM URL"),),
        "wrong": (("a", "ARM URL"), ("adminportal.east.example", "east-admin"),
                  (("down", "down", "down", *"ftp://x"), "must be")),
        "choosing": (("a", "ARM URL"), (("down", "down", "down", "down", "space"), "choose"),
                     (("down",), "choose")),
        "edited": (("e", "Edit AzureStackUser"),),
        "asked": (("a", "ARM URL"), ("local", "read as"), (("escape",), "Not saved")),
        # The tenant comes with the other shape of the metadata, after the check.
        "found": (("a", "ARM URL"), ("local", "read as"), (("enter",), "2e1a19d5-0000")),
    }  # fmt: skip
    await compare(app, *steps[what], sizes=FORM_SIZES)


@pytest.mark.parametrize("state", ["never", "valid", "failed", "expired", "ending"])
async def test_identity_state(
    compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    events = FAULT if state == "failed" else HEALTHY
    app = canned_app(config, events, text=CONFIG)
    said = {"valid": "✓ token valid for 60 min", "failed": "✗ failed: tls-untrusted-root"}
    steps: list[Step] = [("c", "4 ms" if state != "failed" else "! cert-expires")]
    match state:
        case "never":
            steps = []
        case "expired":
            monkeypatch.setattr(identity_state, "now", lambda: STARTED + timedelta(minutes=61))
        case "ending":
            app.read_files = canned_certificates.ending_in(5)  # type: ignore[method-assign]
            steps = [("j", "adminmanagement")]
    words = said.get(state, "✗ 5 days" if state == "ending" else state)
    await compare(app, *steps, (("3", "enter"), words))


async def test_identities_on_the_least_screen(compare: Compare, config: Path) -> None:
    app = canned_app(config, HEALTHY, text=CONFIG)
    await compare(app, ("c", "Signed in"), ("3", "✓ 214 days"), sizes={None: (40, 10)})


@pytest.mark.parametrize("what", ["shown", "refused", "not read"])
async def test_roles(
    compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    for module in (arm_task, role_reader):
        monkeypatch.setattr(module, "now", lambda: STARTED)
    app = canned_app(config, HEALTHY, text=CONFIG)
    reads = {"fails": "500 InternalServerError" if what == "not read" else "",
             "breaks": "403" if what == "refused" else ""}  # fmt: skip
    app.role_reader._load = lambda: CannedArm(**reads)
    said = {"shown": "Contributor on resource group", "refused": "403 Auth", "not read": "500"}
    await compare(app, (("3", "enter"), "never tried"), ("o", said[what]))


@STARTED_SMALL
async def test_copying_a_token(compare: Compare, config: Path, sizes: Sizes) -> None:
    app = canned_app(config, HEALTHY, text=CONFIG)
    steps = (
        ("c", "Signed in"),
        ("3i", "asks first"),
        (("down", "down", "down", "enter"), "called back"),
    )
    await compare(app, *steps, sizes=sizes)


@pytest.mark.parametrize("what", ["added", "wrong", "user", "removed"])
async def test_identity_form(compare: Compare, config: Path, what: str) -> None:
    app = canned_app(config, text=CONFIG)
    steps: dict[str, tuple[Step, ...]] = {
        "added": (("3a", "Add an identity"),),
        "wrong": (
            ("3a", "Add an identity"),
            (("down",) * 4, "Secret"),
            ("hunter2", "must be"),
        ),
        "user": (("3a", "Add an identity"), (("down", "space", "down", "enter"), "Password")),
        "removed": (("3D", "is used by"),),
    }
    await compare(app, *steps[what], sizes=FORM_SIZES)


@STARTED_AT
@pytest.mark.parametrize("what", ["copied", "signed-in", "refused", "listed", "asking"])
async def test_identity_actions(
    compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch, sizes: Sizes, what: str
) -> None:
    monkeypatch.setenv("AZURE_CONFIG_DIR", "azure")
    write_entries(Path("azure"))
    report = canned.UNTRUSTED if what == "refused" else canned.HEALTHY
    listed = ("3I", "[x] sp-c0ffee00")
    steps: dict[str, tuple[Step, ...]] = {
        "copied": (("3A", "A copy of ops"),),
        "signed-in": (("3T", "there is a token"),),
        "refused": (("3T", "tls-untrusted-root"),),
        "listed": (listed, ("j", "no such file")),
        "asking": (listed, (("s", "enter"), "Add this to")),
    }
    await compare(
        canned_app(config, canned.signing_in(report), text=CONFIG), *steps[what], sizes=sizes
    )


def write_entries(folder: Path) -> None:
    """Write az's file: a secret, a certificate, one that the config has, and nonsense."""
    folder.mkdir()
    entries = (
        ("c0ffee00-1234-4567-89ab-000000000000", "contoso.example", "client_secret", "x"),
        ("deadbeef-1234-4567-89ab-000000000000", "adfs", "certificate", "/nowhere/sp.pem"),
        (canned.TARGET.identity.client_id, "contoso.onmicrosoft.com", "client_secret", "x"),
        ("", "", "client_secret", "x"),
    )
    found = [
        {"client_id": each, "tenant": tenant, key: value} for each, tenant, key, value in entries
    ]
    (folder / "service_principal_entries.json").write_text(json.dumps(found))


@STARTED_AT
async def test_remove(compare: Compare, config: Path, sizes: Sizes) -> None:
    app = canned_app(config, text=CONFIG)
    await compare(app, ("D", "Type its name"), sizes=sizes)


async def test_add_environment_with_a_fault(compare: Compare, config: Path) -> None:
    app = canned_app(config, FAULT)
    steps = (("a", "Paste the ARM URL"), ("https://management.west.contoso.example", "west"))
    press = (("enter",), "save nevertheless")
    await compare(app, *steps, press)


async def test_zoomed_certificates(compare: Compare, config: Path) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    steps = (("c", "tls-untrusted-root"), ("2", "! 25 days"), (("j", "enter"), "leaf, 1 of 3"))
    await compare(app, *steps)


async def test_zoomed_check(compare: Compare, config: Path) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    steps = (("c", "tls-untrusted-root"), ("2", "! 25 days"), (("0", "enter"), "cert-expires"))
    await compare(app, *steps)


async def test_fixable(compare: Compare, config: Path) -> None:
    app = canned_app(config, FAULT, text=CONFIG, diagnosis=canned.fixable)
    steps = (("c", "f sets it"), ("2", "! 25 days"), ("1", "f sets it"))
    await compare(app, *steps)


@pytest.mark.parametrize("chosen", ["set", "trust"])
async def test_fix(compare: Compare, config: Path, chosen: str) -> None:
    app = canned_app(config, FAULT, text=CONFIG, diagnosis=canned.fixable)
    steps: list[tuple[Sequence[str], str]] = [("c", "f sets it"), ("f", "Change it?")]
    if chosen == "trust":
        steps.append((("down",), "Go on?"))
    await compare(app, *steps)


@STARTED_AT
async def test_end_of_the_details(compare: Compare, config: Path, sizes: Sizes) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    steps = (("c", "tls-untrusted-root"), (("2", "0", "enter", "G"), "Y copies all of this"))
    await compare(app, *steps, sizes=sizes)


async def test_filtered_groups(compare: Compare, config: Path) -> None:
    app = canned_app(config, HEALTHY, text=CONFIG)
    steps = (("c", "Signed in"), ("2", "! 25 days"), ("4/team-1", "/team-1"))
    await compare(app, *steps)


async def test_groups(compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_reader, "now", lambda: STARTED)
    app = canned_app(config, text=CONFIG)
    # Not "18 · reading": the first page is painted before the reading has ended.
    await compare(app, ("4", "18 · 03:12:09"), sizes=DOWN_TO_THE_LEAST)


async def test_groups_unread(
    compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arm_reader, "now", lambda: STARTED)
    app = canned_app(config, text=CONFIG)
    app.arm_reader._load = lambda: CannedArm(fails="500 InternalServerError")
    await compare(app, ("4", "r  reads them again"), sizes=DOWN_TO_THE_LEAST)


@pytest.mark.parametrize("breaks", ["", "500 InternalServerError"], ids=["whole", "broken"])
async def test_counted_groups(
    compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    for module in (arm_reader, arm_task, resource_counter):
        monkeypatch.setattr(module, "now", lambda: STARTED)
    app = canned_app(config, text=CONFIG)
    app.resource_counter._load = lambda: CannedArm(breaks=breaks)
    said = "not counted" if breaks else "resources     17"
    await compare(app, ("4", "18 · "), ("#", said), sizes=DOWN_TO_THE_LEAST)


async def test_opened_group(
    compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arm_reader, "now", lambda: STARTED)
    app = canned_app(config, text=CONFIG)
    steps = (("4", "18 · "), (("j", "enter"), "vnet-hub"))
    await compare(app, *steps, sizes=DOWN_TO_THE_LEAST)


@STARTED_AT
async def test_opened_resource(compare: Compare, config: Path, sizes: Sizes) -> None:
    app = canned_app(config, text=CONFIG)
    steps = ("4", "network-hub"), (("j", "enter"), "you may"), (("enter",), "Resources in")
    await compare(app, *steps, (("enter",), "Standard"), sizes=sizes)


async def test_resources_of_a_group(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    steps = ("4", "18 · "), (("j", "enter"), "vnet-hub"), (("enter",), "Resources in network-hub")
    await compare(app, *steps, sizes=DOWN_TO_THE_LEAST)


async def test_subscriptions(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    await compare(app, (("4", "S"), "all enabled ones"), sizes=DOWN_TO_THE_LEAST)


async def test_image_aliases(compare: Compare, config: Path) -> None:
    url = "https://imagealiases.blob.local.azurestack.external/aliases/aliases.json"
    text = CONFIG.replace('identity = "ops"', f'identity = "ops"\nvm_image_aliases = "{url}"')
    app = canned_app(config, text=text)
    steps = ("i", "not compared"), (("enter",), "not there"), (("down",), "OpenLogic:CentOS")
    await compare(app, *steps, sizes=DOWN_TO_THE_LEAST)


async def test_no_image_aliases(compare: Compare, config: Path) -> None:
    await compare(canned_app(config, text=CONFIG), ("i", "If there is one:"))


async def test_providers(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    steps = (("4", "P"), "Resource providers"), (("down",), "samples need it")
    await compare(app, *steps, sizes=DOWN_TO_THE_LEAST)


async def test_providers_in_different_places(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    await compare(app, (("4", "P"), "Resource providers"), (("down", "down"), "serverFarms"))


async def test_creating_a_group(compare: Compare, config: Path) -> None:
    steps = (("4", "a"), "look, then ask"), ((*"rg-new", "tab", "tab", *"env=test"), "env=test")
    await compare(canned_app(config, text=CONFIG), *steps, sizes=DOWN_TO_THE_LEAST)


@STARTED_AT
async def test_a_group_to_be_created(compare: Compare, config: Path, sizes: Sizes) -> None:
    steps = (("4", "a"), "look, then ask"), ((*"rg-new", "enter"), "Create the resource group")
    await compare(canned_app(config, text=CONFIG), *steps, sizes=sizes)


@STARTED_AT
async def test_deleting_a_group(compare: Compare, config: Path, sizes: Sizes) -> None:
    steps = ("4", "backup-vault-prod"), ("D", "Type its name"), (tuple("abc"), "abc")
    await compare(canned_app(config, text=CONFIG), *steps, sizes=sizes)


async def test_operations(compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "now", lambda: STARTED)
    app = canned_app(config, text=CONFIG)
    steps: list[Step] = [("O", "running"), (("down", "down"), "A lock forbids it")]
    target = app.app_state.target
    assert target is not None
    for each in deletions(target, STARTED):
        app.deletions._known[each.operation.key] = each
    await compare(app, *steps, sizes=DOWN_TO_THE_LEAST)


async def test_requests(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    for each in canned.requests():
        app.app_state.requests.add(each)
    await compare(app, ("R", "429"), sizes=DOWN_TO_THE_LEAST)


@STARTED_AT
async def test_opened_request(compare: Compare, config: Path, sizes: Sizes) -> None:
    app = canned_app(config, text=CONFIG)
    for each in canned.requests():
        app.app_state.requests.add(each)
    await compare(app, ("R", "429"), (("enter",), "az rest"), sizes=sizes)


async def test_hostile_names(compare: Compare, config: Path) -> None:
    app = canned_app(config, HEALTHY, text=HOSTILE_CONFIG)
    steps = (("c", "Signed in"), ("2", "! 25 days"), ("1", "1 Env"))
    await compare(app, *steps)


async def test_scanned(compare: Compare, config: Path) -> None:
    app = canned_app(config, HEALTHY, text=CONFIG, scan=scans())
    steps = (("c", "Signed in"), ("2l", "✗ TLS silent"), ("jj", "T finds its root"))
    await compare(app, *steps)


async def test_scanning(compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "monotonic", lambda: 4.2)
    monkeypatch.setattr(scan_runner, "monotonic", lambda: 1.2)
    app = canned_app(config, text=CONFIG, scan=scans(hangs=True))
    await compare(app, ("2L", "12 of 13"))


async def test_matrix(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG, scan=scans())
    steps = (("2L", "✗ TLS silent"), (("enter",), "who trusts it"))
    await compare(app, *steps)


async def test_identity_certificate(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    steps = (("2", "214 days"), (("enter",), "thumbprint"))
    await compare(app, *steps)


@STARTED_AT
@pytest.mark.parametrize("proposal", ["presented", "held", "none"])
async def test_trust(
    compare: Compare,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    proposal: str,
    sizes: Sizes,
) -> None:
    proposals = {
        "presented": canned_trust.PRESENTED,
        "held": canned_trust.HELD,
        "none": canned_trust.NO_ROOT,
    }
    monkeypatch.setattr(trust_root, "propose", lambda *_: proposals[proposal])
    app = canned_app(config, text=CONFIG, scan=scans())
    steps = [("2l", "✗ TLS silent"), ("T", "root")]
    if proposal == "held":
        steps.append((("down", "down"), "The bundle of az 2.66.2"))
    await compare(app, *steps, sizes=sizes)


@STARTED_SMALL
async def test_trust_from_a_file(
    compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch, sizes: Sizes
) -> None:
    monkeypatch.setattr(trust_root, "propose", lambda *_: canned_trust.NO_ROOT)
    monkeypatch.setattr(trust_root, "propose_from_file", lambda *_: canned_trust.FROM_FILE)
    app = canned_app(config, text=CONFIG, scan=scans())
    steps = [("2l", "TLS silent"), ("T", "File of the root"), (("x", "enter"), "completes")]
    await compare(app, *steps, sizes=sizes)


@STARTED_SMALL
async def test_typing_a_secret(compare: Compare, config: Path, sizes: Sizes) -> None:
    app = canned_app(config, FAULT, text=CONFIG, diagnosis=canned.choosing)
    steps = (("c", "secret-missing"), ("f", "In memory"), ("hidden", "••••••"))
    await compare(app, *steps, sizes=sizes)


async def test_device_code(compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_code, "now", lambda: STARTED)
    app = canned_app(config, canned.waiting_for_sign_in(), text=CONFIG)
    await compare(app, ("c", "GHQ7-B2KX"), sizes=DOWN_TO_THE_LEAST)


@STARTED_SMALL
@pytest.mark.parametrize("who", ["may", "cannot"])
async def test_granting(
    compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch, who: str, sizes: Sizes
) -> None:
    async def why_not(wanted: Sequence[SignIn], *_: object) -> dict[str, str]:
        return {each.identity.name: "" if who == "may" else "403 Forbidden" for each in wanted}

    monkeypatch.setattr(role_grant, "why_not", why_not)
    app = canned_app(config, FAULT, text=CONFIG, diagnosis=canned.forbidden)
    steps: list[tuple[Sequence[str], str]] = [("c", "arm-forbidden"), ("f", "not asked")]
    steps.append((("enter",), "✓ may grant it" if who == "may" else "cannot grant it"))
    await compare(app, *steps, sizes=sizes)


@pytest.mark.parametrize("walk", ["form", *WALKS])
async def test_managed_identity(
    compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch, walk: str
) -> None:
    for module in (identity_walker, live_walk, managed_identity):
        monkeypatch.setattr(module, "monotonic", lambda: 0.0)
    app = canned_app(config, text=CONFIG)
    name = "asking" if walk == "form" else walk
    app._load_arm = app.arm_reader._load = lambda: CannedWalk(name)
    steps: list[tuple[Sequence[str], str]] = [("3M", "vm-app in team-01"), ("id-app", "id-app")]
    if walk != "form":
        said = {"asking": "Assign id-app", "waiting": "waits 15 s", "refused": "grant failed",
                "skipped": "All is done but"}  # fmt: skip
        steps.append((("enter",), said[walk]))
    await compare(app, *steps, sizes=DOWN_TO_THE_LEAST)


@STARTED_SMALL
async def test_choosing_a_command(compare: Compare, config: Path, sizes: Sizes) -> None:
    app = canned_app(config, FAULT, text=CONFIG, diagnosis=canned.choosing)
    steps = (("c", "secret-missing"), ("y", "Copy a command"), (("down",), "environments show"))
    await compare(app, *steps, sizes=sizes)


@STARTED_AT
@pytest.mark.parametrize("asked", [False, True])
async def test_untrust(
    compare: Compare,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: bool,
    sizes: Sizes,
) -> None:
    monkeypatch.setattr(untrust_root, "added_roots", lambda *_: canned_trust.ADDED)
    app = canned_app(config, text=CONFIG)
    steps: list[tuple[Sequence[str], str]] = [("2U", "Contoso Root CA")]
    if asked:
        steps.append((("down", "enter"), "Forget it?"))
    await compare(app, *steps, sizes=sizes)


@STARTED_AT
async def test_export(
    compare: Compare, config: Path, monkeypatch: pytest.MonkeyPatch, sizes: Sizes
) -> None:
    monkeypatch.setattr(export, "export", lambda _: canned_trust.EXPORTED)
    app = canned_app(config, text=CONFIG)
    await compare(app, ("2x", "PowerShell"), sizes=sizes)


async def test_too_small(compare: Compare, config: Path) -> None:
    app = canned_app(config, text=CONFIG)
    await compare(app, ((), "enlarge it"), sizes={None: (60, 9)})


@pytest.mark.parametrize("theme", ["dark", "light", "sixteen", "contrast"])
async def test_themes(compare: Compare, config: Path, theme: str) -> None:
    app = canned_app(config, FAULT, text=CONFIG)
    app.apply_theme(theme)
    steps = (("c", "tls-untrusted-root"), ("2", "! 25 days"))
    await compare(app, *steps, sizes={None: (100, 30)})


PLAIN = pytest.mark.parametrize(
    "variables",
    [{"STACKTUI_ASCII": "1"}, {"NO_COLOR": "1"}, {"TERM": "linux", "COLORTERM": ""}],
    ids=["ascii", "no-colour", "console"],
)


def set_variables(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """Set the variables of a terminal with fewer abilities."""
    monkeypatch.setenv("STACKTUI_ASCII", "")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@PLAIN
async def test_plain_terminals(
    compare: Compare,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    set_variables(monkeypatch, variables)
    app: StacktuiApp = canned_app(config, FAULT, text=CONFIG)
    steps = (("c", "tls-untrusted-root"), ("2", "! 25 days"))
    await compare(app, *steps, sizes={None: (80, 23)})


@PLAIN
async def test_plain_matrix(
    compare: Compare,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    set_variables(monkeypatch, variables)
    app: StacktuiApp = canned_app(config, text=CONFIG, scan=scans())
    steps = (("2L", " TLS silent"), (("enter",), "who trusts it"))
    await compare(app, *steps, sizes={None: (80, 23)})


@PLAIN
async def test_plain_device_code(
    compare: Compare,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    set_variables(monkeypatch, variables)
    monkeypatch.setattr(device_code, "now", lambda: STARTED)
    app = canned_app(config, canned.waiting_for_sign_in(), text=CONFIG)
    await compare(app, ("c", "GHQ7-B2KX"), sizes={None: (80, 23)})
