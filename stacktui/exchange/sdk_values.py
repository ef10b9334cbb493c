"""What a text for an SDK says, by the variables that the SDKs read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stacktui.exchange.forms import Form
from stacktui.exchange.script_reader import Part
from stacktui.identities.model import EnvSecret

_SECRETS = ("_SECRET", "_PASSWORD")


@dataclass(frozen=True, slots=True)
class SdkValues:
    """The values by variable; `names` says by variable how the text itself calls it."""

    form: Form
    variables: Mapping[str, Part]
    names: Mapping[str, str] = field(default_factory=dict)


def of_process(variables: Mapping[str, str]) -> SdkValues:
    """Return the `AZURE_*` and `ARM_*` variables of a process; for a secret its variable."""
    known = {
        name: EnvSecret(name) if name.endswith(_SECRETS) else text
        for name, text in variables.items()
        if text and name.startswith(("AZURE_", "ARM_"))
    }
    return SdkValues(Form.ENV, known)
