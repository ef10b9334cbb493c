"""The forms of other clients, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

from stacktui.exchange import (
    az_commands,
    az_powershell_form,
    environment_json_form,
    sdk_json_form,
    sdk_python_form,
    toml_form,
    variable_forms,
)
from stacktui.exchange.connection import Connection


class Form(StrEnum):
    """A form that an environment can be exported in."""

    ENV = "env"
    POWERSHELL = "powershell"
    CMD = "cmd"
    TERRAFORM = "terraform"
    AZ = "az"
    AZ_COMMANDS = "az-commands"
    AZ_POWERSHELL = "az-powershell"
    SDK_PYTHON = "sdk-python"
    SDK_JSON = "sdk-json"
    ENVIRONMENT_JSON = "environment-json"
    TOML = "toml"


# Each returns a whole text, which ends with a line break. That of az is not printed but written
# into its files.
RENDERERS: dict[Form, Callable[[Connection], str]] = {
    Form.ENV: variable_forms.render_bash,
    Form.POWERSHELL: variable_forms.render_powershell,
    Form.CMD: variable_forms.render_cmd,
    Form.TERRAFORM: variable_forms.render_terraform,
    Form.AZ_COMMANDS: az_commands.render,
    Form.AZ_POWERSHELL: az_powershell_form.render,
    Form.SDK_PYTHON: sdk_python_form.render,
    Form.SDK_JSON: sdk_json_form.render,
    Form.ENVIRONMENT_JSON: environment_json_form.render,
    Form.TOML: toml_form.render,
}
# What the user must do beside the text, or know of one that has no comments of its own.
REMARKS: dict[Form, Callable[[Connection], Iterator[str]]] = {
    Form.SDK_PYTHON: sdk_python_form.remarks,
    Form.SDK_JSON: sdk_json_form.remarks,
    Form.ENVIRONMENT_JSON: environment_json_form.remarks,
}
