"""The forms of other clients, by name."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from stacktui.exchange import toml_form
from stacktui.exchange.connection import Connection


class Form(StrEnum):
    """A form that an environment can be exported in."""

    AZ = "az"
    TOML = "toml"


# Each returns a whole text, which ends with a line break. That of az is not printed but written
# into its files.
RENDERERS: dict[Form, Callable[[Connection], str]] = {
    Form.TOML: toml_form.render,
}
