"""Every import inside a function of the product stands here, with its reason.

All are there for start-up time: what `--help`, a healthy check or the first frame does not need is
not loaded for it. `tests/cli/test_imports.py` and `tests/tui/test_first_frame.py` see at run time
that it is so. An import that is not listed belongs at the top of its module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.test_circles import FOLDER, MODULES

HELP = "`--help`, wrong usage and other commands come without it"
FRAME = "the first frame comes without it: it is loaded with the key that needs it"
THREAD = "it is slow to load, so that a thread beside the screen loads it"
HEALTHY = "a healthy check never needs it"
BESIDE = "it is slow to load: beside the first request, and only for the identities that need it"
BESIDE_REQUEST = "a thread beside the first request loads it"
SLOW = "it is slow to load, and most callers never need it"
OPTIONS = "who names an option of the stamp's, as `--help` does, runs no stamp"
PLATFORM = "it exists on some platforms only"
OPTIONAL = "it is installed with an extra only, and read where an identity needs it"

# Module, what it imports inside a function, and why.
DEFERRED: dict[str, dict[str, str]] = {
    "azure_cli/presence.py": {
        "stacktui.azure_cli.facts": HEALTHY,
    },
    "certificates/additions.py": {
        "stacktui.certificates.chain": HEALTHY,
    },
    "certificates/bundle.py": {
        "cryptography": HEALTHY,
        "stacktui.certificates.chain": HEALTHY,
    },
    "certificates/file_repair.py": {
        "cryptography.hazmat.primitives.serialization": SLOW,
    },
    "certificates/stores.py": {
        "stacktui.certificates.chain": SLOW,
    },
    "certificates/trust.py": {
        "certifi": SLOW,
    },
    "certificates/same_root.py": {
        "stacktui.certificates.chain": HEALTHY,
    },
    "check/follow_up.py": {
        "stacktui.certificates.chain_completion": HEALTHY,
    },
    "check/history_database.py": {
        "sqlite3": THREAD,
    },
    "check/history_reader.py": {
        "stacktui.check.history": THREAD,
        "stacktui.check.streak": THREAD,
    },
    "check/history_writer.py": {
        "stacktui.config.error_file": HEALTHY,
        "stacktui.check.history": THREAD,
    },
    "check/local_facts.py": {
        "stacktui.certificates.additions": HEALTHY,
        "stacktui.check.az_clients": BESIDE_REQUEST,
        "stacktui.check.clients": BESIDE_REQUEST,
        "stacktui.python_clients.packages": BESIDE_REQUEST,
    },
    "check/pinning.py": {
        "stacktui.certificates.chain": HEALTHY,
    },
    "check/steps/write_probe.py": {
        "stacktui.check.probe_run": HEALTHY,
    },
    "cli/check.py": {
        "stacktui.check.events": HELP,
        "stacktui.check.history_reader": HELP,
        "stacktui.check.history_writer": HELP,
        "stacktui.check.runner": HELP,
        "stacktui.check.streak": HELP,
        "stacktui.check.summary_text": HELP,
        "stacktui.cli.check_output": HELP,
        "stacktui.cli.check_round": HELP,
        "stacktui.cli.write_probe": HELP,
        "stacktui.diagnosis": HELP,
        "stacktui.diagnosis.document": HELP,
        "stacktui.diagnosis.markdown": HELP,
        "stacktui.diagnosis.summarise": HELP,
    },
    "cli/dashboard.py": {
        "stacktui.cli.demo_stamp": FRAME,
        "stacktui.tui.app": HELP,
        "stacktui.cli.write_probe": HELP,
    },
    "cli/demo.py": {
        "stacktui.check.runner": HELP,
        "stacktui.cli.dashboard": HELP,
        "stacktui.stamp": HELP,
    },
    "cli/demo_stamp.py": {
        "stacktui.stamp": FRAME,
        "tomlkit": FRAME,
    },
    "cli/main.py": {
        "stacktui.cli.dashboard": HELP,
        "stacktui.config.error_file": HELP,
    },
    "cli/options.py": {
        "stacktui.cli.request_log_file": HELP,
    },
    "config/atomic.py": {
        "fcntl": PLATFORM,
    },
    "config/edit.py": {
        "tomlkit": SLOW,
        "tomlkit.exceptions": SLOW,
        "tomlkit.items": SLOW,
    },
    "config/locations.py": {
        "platformdirs": HELP,
    },
    "diagnosis/__init__.py": {
        "stacktui.diagnosis.az_client": HEALTHY,
        "stacktui.diagnosis.catalogue.precedence": HEALTHY,
        "stacktui.diagnosis.engine": HEALTHY,
        "stacktui.diagnosis.login_host": HEALTHY,
    },
    "diagnosis/catalogue/advisories.py": {
        "stacktui.certificates.readiness_rules": HEALTHY,
    },
    "diagnosis/fixes.py": {
        "stacktui.certificates.repair_file": FRAME,
    },
    "diagnosis/context.py": {
        "stacktui.certificates.chain": HEALTHY,
    },
    "diagnosis/document.py": {
        "stacktui.diagnosis.clients": HEALTHY,
    },
    "identities/certificate_file.py": {
        "stacktui.certificates.chain": THREAD,
        "stacktui.certificates.errors": THREAD,
        "stacktui.certificates.key_bundle": THREAD,
        "stacktui.identities.credential": THREAD,
        "stacktui.identities.faults": THREAD,
        "stacktui.identities.secrets": THREAD,
    },
    "environments/config.py": {
        "stacktui.environments.public_resources": SLOW,
    },
    "identities/device_code.py": {
        "msal": BESIDE,
    },
    "identities/secrets.py": {
        "keyring": OPTIONAL,
    },
    "identities/sign_in.py": {
        "msal": BESIDE,
        "stacktui.identities.credential": BESIDE,
        "stacktui.identities.az_account": BESIDE,
        "stacktui.identities.imds": BESIDE,
    },
    "stamp/__init__.py": {
        "stacktui.stamp.runtime": OPTIONS,
    },
    "stamp/options.py": {
        "stacktui.stamp.faults": OPTIONS,
    },
    "text/sanitize.py": {
        "html": SLOW,
    },
    "text/secret_leak.py": {
        "html": SLOW,
    },
    "transport/proxy.py": {
        "urllib.request": SLOW,
    },
    "tui/app.py": {
        "stacktui.tui.identity_walker": FRAME,
        "stacktui.tui.terminal_driver": PLATFORM,
    },
    "tui/screens/attended_sign_in.py": {
        "stacktui.tui.screens.secret": FRAME,
    },
    "tui/screens/resources.py": {
        "stacktui.tui.screens.picker_screen": FRAME,
    },
    "tui/arm_task.py": {
        "stacktui.tui.arm_engine": FRAME,
    },
    "tui/arm_reader.py": {
        "stacktui.resources.providers": THREAD,
        "stacktui.tui.arm_engine": THREAD,
    },
    "tui/files_app.py": {
        "stacktui.azure_cli.cloud_file": THREAD,
        "stacktui.azure_cli.presence": THREAD,
        "stacktui.check.history": THREAD,
        "stacktui.environments.record": THREAD,
        "stacktui.tui.editor": FRAME,
        "stacktui.tui.screens.picker_screen": FRAME,
    },
    "tui/check_runner.py": {
        "stacktui.certificates.chain": THREAD,
        "stacktui.check.events": FRAME,
        "stacktui.check.round": FRAME,
        "stacktui.check.history_reader": THREAD,
        "stacktui.check.runner": THREAD,
        "stacktui.diagnosis": THREAD,
        "stacktui.identities.token_source": THREAD,
        "stacktui.diagnosis.summarise": THREAD,
        "stacktui.tui.live_check": FRAME,
    },
    "tui/panes/certificates.py": {
        "stacktui.certificates.verify": FRAME,
    },
    "tui/panes/environment_detail.py": {
        "stacktui.check.streak": FRAME,
        "stacktui.diagnosis.clients": FRAME,
        "stacktui.diagnosis.context": FRAME,
        "stacktui.environments.cloud": FRAME,
        "stacktui.environments.metadata": FRAME,
        "stacktui.exchange.az_form": FRAME,
    },
    "tui/panes/environments.py": {
        "stacktui.check.streak": FRAME,
    },
    "tui/panes/check.py": {
        "stacktui.tui.panes.check_result": FRAME,
        "stacktui.tui.panes.check_timeline": FRAME,
    },
    "tui/panes/group_detail.py": {
        "stacktui.check.fault_text": FRAME,
        "stacktui.resources.group_details": FRAME,
        "stacktui.resources.permissions": FRAME,
    },
    "tui/panes/identity_state.py": {
        "stacktui.transport.records": FRAME,
        "stacktui.check.fault_text": FRAME,
    },
    "tui/panes/role_lines.py": {
        "stacktui.resources.role_paths": FRAME,
    },
    "tui/role_reader.py": {
        "stacktui.tui.arm_engine": FRAME,
    },
    "tui/identity_walker.py": {
        "stacktui.tui.arm_engine": THREAD,
    },
    "tui/scan_runner.py": {
        "stacktui.certificates.scan": THREAD,
        "stacktui.tui.scan_engine": THREAD,
        "stacktui.tui.scan_state": FRAME,
    },
    "tui/deletions.py": {
        "stacktui.identities.token_source": FRAME,
        "stacktui.resources.group_deletion": FRAME,
        "stacktui.resources.operations": FRAME,
        "stacktui.resources.written": FRAME,
        "stacktui.tui.check_runner": FRAME,
    },
    "tui/screens/group_change_actions.py": {
        "stacktui.tui.screens.delete_group": FRAME,
        "stacktui.tui.screens.group_change": FRAME,
        "stacktui.tui.screens.operations": FRAME,
    },
    "tui/screens/certificate_actions.py": {
        "stacktui.tui.screens.export": FRAME,
        "stacktui.tui.screens.trust": FRAME,
        "stacktui.tui.screens.untrust": FRAME,
    },
    "tui/screens/check_actions.py": {
        "stacktui.diagnosis.fixes": FRAME,
        "stacktui.tui.screens.device_code": FRAME,
        "stacktui.tui.screens.fix": FRAME,
        "stacktui.check.write_probe": FRAME,
        "stacktui.tui.screens.probes": FRAME,
    },
    "tui/screens/check_copies.py": {
        "stacktui.diagnosis.markdown": FRAME,
        "stacktui.tui.screens.copy": FRAME,
    },
    "tui/screens/config_actions.py": {
        "stacktui.tui.screens.export_environment": FRAME,
        "stacktui.tui.screens.environment_form": FRAME,
        "stacktui.tui.screens.identity_form": FRAME,
        "stacktui.tui.screens.image_aliases": FRAME,
        "stacktui.tui.screens.import_identities": FRAME,
        "stacktui.tui.screens.remove": FRAME,
    },
    "tui/screens/export_environment.py": {
        "stacktui.azure_cli.cloud_file": THREAD,
        "stacktui.check.cloud": THREAD,
        "stacktui.exchange.az_form": THREAD,
        "stacktui.exchange.az_setup": THREAD,
        "stacktui.exchange.forms": THREAD,
        "stacktui.exchange.shells": THREAD,
    },
    "tui/screens/dashboard.py": {
        "stacktui.tui.screens.help": FRAME,
        "stacktui.tui.screens.requests": FRAME,
        "stacktui.tui.screens.palette": FRAME,
    },
    "tui/screens/environment_form.py": {
        "stacktui.check.registration": FRAME,
    },
    "tui/screens/group_actions.py": {
        "stacktui.resources.portal": FRAME,
        "stacktui.resources.subscriptions": FRAME,
        "stacktui.tui.screens.picker_screen": FRAME,
        "stacktui.tui.screens.providers": FRAME,
        "stacktui.tui.screens.resources": FRAME,
    },
    "tui/screens/identity_actions.py": {
        "stacktui.identities.token_source": FRAME,
        "stacktui.tui.screens.copy_token": FRAME,
        "stacktui.tui.screens.identity_test": FRAME,
        "stacktui.tui.screens.send_secret": FRAME,
        "stacktui.tui.screens.managed_identity": FRAME,
        "stacktui.tui.screens.picker_screen": FRAME,
    },
    "tui/screens/export.py": {
        "stacktui.certificates.export": THREAD,
    },
    "tui/screens/row_detail.py": {
        "stacktui.tui.panes.certificate_detail": FRAME,
    },
    "tui/screens/trust.py": {
        "stacktui.certificates.errors": THREAD,
        "stacktui.certificates.roots": THREAD,
        "stacktui.certificates.trust_root": THREAD,
        "stacktui.certificates.trust_target": THREAD,
    },
    "tui/screens/untrust.py": {
        "stacktui.certificates.untrust_root": THREAD,
    },
}


def inside_functions(path: Path) -> Iterator[str]:
    """The modules that the functions of a file import."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                yield from (each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for each in node.names:
                    inner = f"{node.module}.{each.name}"
                    yield inner if inner in MODULES else node.module


def test_every_deferred_import_stands_here_and_no_other() -> None:
    found = {
        str(path.relative_to(FOLDER)): names
        for path in MODULES.values()
        if (names := {*inside_functions(path)})
    }
    assert found == {module: {*imports} for module, imports in DEFERRED.items()}
