"""Make the pictures in this folder from the real dashboard on a real embedded stamp.

    python screenshots/make.py

Run it from a checkout in which stacktui is installed. Times on the pictures are those of the run.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.pilot import Pilot

from stacktui.cli.demo import Demo
from stacktui.stamp import IdentityProvider, StampOptions
from stacktui.tui.app import StacktuiApp

HERE = Path(__file__).parent
# A wide terminal, and what stock tmux leaves of 80x24.
SIZES = ((120, 40), (80, 23))
PATIENCE = 30.0
# What is pictured is the product, not the settings of whoever pictures it.
SETTINGS = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "STACKTUI_ASCII": "0", "TZ": "UTC"}
UNWANTED = ("NO_COLOR", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "STACKTUI_CONFIG", "XDG_CONFIG_HOME")
# Where Debian keeps its certificates: a path that says nothing of this machine.
SYSTEM_STORE = Path("/etc/ssl/certs/ca-certificates.crt")


async def picture(name: str, fault: str | None, *keys: str) -> None:
    """Write the screen after a check on a stamp with this fault and these keys, as SVG.

    One file a size: `fault-120x40.svg`.
    """
    options = StampOptions(
        idp=IdentityProvider.ADFS, domain="local.azurestack.external", fault=fault
    )
    for size in SIZES:
        with Demo(options) as demo:
            svg = await _screen(demo.start(), size, keys)
        # Some renderers keep the blanks that align a line only with this attribute.
        svg = svg.replace("<text ", '<text xml:space="preserve" ')
        (HERE / f"{name}-{size[0]}x{size[1]}.svg").write_text(svg, encoding="utf-8")


async def _screen(config: Path, size: tuple[int, int], keys: Sequence[str]) -> str:
    app = StacktuiApp(config, auto_check=True)
    async with app.run_test(size=size) as pilot:
        await _until(pilot, lambda: bool(app.app_state.certificates))
        await pilot.press(*keys)
        await _until(pilot, lambda: not app.scan_runner.running)
        await pilot.pause(0.2)
        return app.export_screenshot(title="stacktui")


async def _until(pilot: Pilot[None], done: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE / 0.05)):
        await pilot.pause(0.05)
        if done():
            return
    raise TimeoutError("it did not end")


def main() -> None:
    for name in UNWANTED:
        os.environ.pop(name, None)
    os.environ |= SETTINGS
    if SYSTEM_STORE.exists():
        os.environ["REQUESTS_CA_BUNDLE"] = str(SYSTEM_STORE)
    time.tzset()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home
        asyncio.run(picture("healthy", None))
        asyncio.run(picture("fault", "tls-untrusted-root"))
        asyncio.run(picture("details", "api-version-unsupported", "0", "enter"))
        asyncio.run(picture("certificates", "cert-expires-soon", "2", "L"))


if __name__ == "__main__":
    main()
