"""The README's table of the catalogue. `python -m tests.diagnosis.readme` writes it anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- catalogue -->\n\n", "\n<!-- end -->\n"


def printed() -> str:
    """The table as the command prints it."""
    command = [sys.executable, "-m", "stacktui", "explain", "--list", "--format", "markdown"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def section(readme: str) -> tuple[str, str, str]:
    """What is before the table, the table, and what is after it."""
    before, begin, rest = readme.partition(BEGIN)
    table, end, after = rest.partition(END)
    assert begin, f"the README lacks {BEGIN}"
    assert end, f"the README lacks {END}"
    return before + begin, table, end + after


if __name__ == "__main__":
    before, _, after = section(README.read_text(encoding="utf-8"))
    README.write_text(before + printed() + after, encoding="utf-8")
