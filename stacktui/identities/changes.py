"""Changing `[identities.*]` tables by what a person types: references, never secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from stacktui.config.document import ConfigError, nearest, read_document, typed_path
from stacktui.config.edit import IDENTITIES
from stacktui.identities.config import KEYS, read_reference, reference_text, save_identity

# The keys that refer to a secret.
REFERENCES = tuple(key for key in KEYS if key.endswith(("secret", "password")))


def typed_value(key: str, text: str, config: Path) -> object:
    """Return what was typed as it is in the config; None for nothing.

    Raises ValueError where it is no reference, as `read_reference`, or no path.
    """
    if not text:
        return None
    if key in REFERENCES:
        reference = read_reference(text)
        match reference:
            case {"file": str(file)}:
                return {"file": str(typed_path(file, config))}
        return reference
    return str(typed_path(text, config)) if key == "certificate" else text


def typed_values(
    config: Path, name: str, texts: Mapping[str, str], keys: Collection[str] = KEYS
) -> dict[str, object]:
    """Return the values of `[identities.NAME]` that were typed, of `keys` alone.

    Raises ConfigError, which never repeats a value.
    """
    values = {}
    for key, text in texts.items():
        place = f"{IDENTITIES}.{name}.{key}"
        if key not in keys:
            meant = nearest(key, keys)
            hint = f"did you mean {meant}?" if meant else f"known: {', '.join(keys)}"
            raise ConfigError(config, f"{place} cannot be set; {hint}", place=place)
        try:
            values[key] = typed_value(key, text, config)
        except ValueError as error:
            how = f"; as in {key}=env:NAME" if key in REFERENCES else ""
            raise ConfigError(config, f"{place} {error}{how}", place=place) from None
    return values


def change_identity(
    config: Path, name: str, texts: Mapping[str, str]
) -> Mapping[str, tuple[str, str]]:
    """Set each key of `[identities.NAME]` to what was typed; an empty text removes the key.

    Returns the texts of each key before and after. Raises ConfigError, with nothing changed, where
    the result would not be valid; the table as it is may be invalid.
    """
    tables = read_document(config).get(IDENTITIES)
    before = tables.get(name) if isinstance(tables, Mapping) else None
    if not isinstance(before, Mapping):
        meant = nearest(name, tables) if isinstance(tables, Mapping) else None
        hint = f"; did you mean {meant}?" if meant else ""
        raise ConfigError(config, f"{IDENTITIES}.{name} is not there{hint}")
    values = typed_values(config, name, texts)
    save_identity(config, name, values, added=False)
    return {key: (_text(key, before.get(key)), _text(key, values[key])) for key in texts}


def _text(key: str, value: object) -> str:
    """Return a value as it is typed; of a secret that stands in the config nothing."""
    return reference_text(value) if key in REFERENCES else str(value or "")
