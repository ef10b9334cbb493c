"""Where an identity came from: its table in the config, and what an import took it from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stacktui.config.document import ConfigError, read_content
from stacktui.config.edit import IDENTITIES
from stacktui.config.positions import lines_by_place
from stacktui.identities.model import Identity


@dataclass(frozen=True, slots=True)
class IdentityOrigin:
    """The `config`, the `line` of the table in it (from 1), if known, and `imported_from`."""

    config: Path
    line: int | None = None
    imported_from: str = ""

    @property
    def words(self) -> str:
        """`/home/ops/config.toml, line 12; imported from …`, not sanitised."""
        line = f", line {self.line}" if self.line else ""
        imported = f"; imported from {self.imported_from}" if self.imported_from else ""
        return f"{self.config}{line}{imported}"


def origins(config: Path, identities: Iterable[Identity]) -> dict[str, IdentityOrigin]:
    """Return the origin of each identity of the config. Blocks on disk; never raises."""
    try:
        text = read_content(config).decode("utf-8-sig", "replace")
    except ConfigError:
        text = ""
    lines = lines_by_place(text)
    return {
        each.name: IdentityOrigin(
            config, lines.get(f"{IDENTITIES}.{each.name}"), each.imported_from
        )
        for each in identities
    }
