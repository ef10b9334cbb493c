"""The values of a cloud, and where each comes from, as text and in a JSON document."""

from __future__ import annotations

from typing import Any

from stacktui.check.summary_text import PROVIDERS
from stacktui.cli.layout import out_fitting
from stacktui.environments.cloud import Cloud

WIDTH = 16  # that of `vm_image_aliases`


def cloud_document(cloud: Cloud) -> dict[str, Any]:
    return {
        "identity_provider": cloud.identity_provider,
        "tenant": cloud.tenant or None,
        "endpoints": {
            key: {"value": each.text, "origin": each.origin} for key, each in cloud.values.items()
        },
    }


def out_cloud(cloud: Cloud) -> None:
    """Write each value with its origin: metadata, the naming rule, or the user."""
    out_fitting(f"  {'sign-in':<{WIDTH}} {PROVIDERS[cloud.identity_provider]}", WIDTH + 3)
    if cloud.tenant:
        out_fitting(f"  {'tenant':<{WIDTH}} {cloud.tenant}  (metadata)", WIDTH + 3)
    for key, each in cloud.values.items():
        name = key.replace("_", " ")
        out_fitting(f"  {name:<{WIDTH}} {each.text}  ({each.origin})", WIDTH + 3)
