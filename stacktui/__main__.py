"""`python -m stacktui`."""

from __future__ import annotations

from stacktui.cli.main import main

if __name__ == "__main__":
    main()
