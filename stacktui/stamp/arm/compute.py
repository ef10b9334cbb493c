"""Microsoft.Compute beside VMs: images, whose lists are bare arrays, sizes and usages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stacktui.stamp.arm.errors import CloudError, Code
from stacktui.stamp.arm.lists import values
from stacktui.stamp.arm.manager import ArmRequest, ResourceManager
from stacktui.stamp.arm.stores.resources import VIRTUAL_MACHINE
from stacktui.stamp.messages import Response, json_response

IMAGES: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "Canonical": {
        "UbuntuServer": {
            "16.04-LTS": ("16.04.202109280",),
            "18.04-LTS": ("18.04.202112080", "18.04.202204190"),
        },
        "0001-com-ubuntu-server-jammy": {"22_04-lts": ("22.04.202401010",)},
    },
    "MicrosoftWindowsServer": {
        "WindowsServer": {
            "2016-Datacenter": ("2016.127.20190603",),
            "2019-Datacenter": ("2019.0.20190410", "17763.3887.230107"),
        },
    },
    "SUSE": {"sles-15-sp3": {"gen1": ("2021.12.09",)}},
}
"""Versions by publisher, offer and SKU, the oldest first."""

SIZES = (
    ("Standard_A1", 1, 1792, 2),
    ("Standard_DS1_v2", 1, 3584, 4),
    ("Standard_DS2_v2", 2, 7168, 8),
    ("Standard_F4s", 4, 8192, 16),
)
"""Name, cores, memory in MB, data disks."""


def publishers(arm: ResourceManager, asked: ArmRequest) -> Response:
    return _array(asked, IMAGES)


def offers(arm: ResourceManager, asked: ArmRequest) -> Response:
    return _array(asked, _child(IMAGES, asked.parts["publisher"]))


def skus(arm: ResourceManager, asked: ArmRequest) -> Response:
    return _array(asked, _child(_child(IMAGES, asked.parts["publisher"]), asked.parts["offer"]))


def image_versions(arm: ResourceManager, asked: ArmRequest) -> Response:
    """Return the versions of a SKU; `$orderby=name desc` and `$top` give the latest."""
    query = asked.request.query
    descending = query.get("$orderby", "").lower() == "name desc"
    found = sorted(_versions(asked), reverse=descending)
    top = query.get("$top", "")
    return _array(asked, found[: int(top)] if top.isdecimal() else found)


def image_version(arm: ResourceManager, asked: ArmRequest) -> Response:
    version = asked.parts["version"]
    if version not in _versions(asked):
        raise CloudError(Code.ARTIFACT_NOT_FOUND, artifact=version)
    windows = asked.parts["publisher"].lower().startswith("microsoft")
    disk = {"operatingSystem": "Windows" if windows else "Linux"}
    properties = {"osDiskImage": disk, "dataDiskImages": []}
    row = {"id": asked.request.path, "name": version, "location": asked.parts["location"]}
    return json_response(200, row | {"properties": properties})


def sizes(arm: ResourceManager, asked: ArmRequest) -> Response:
    return values(
        [
            {
                "name": name,
                "numberOfCores": cores,
                "osDiskSizeInMB": 1047552,
                "resourceDiskSizeInMB": memory * 4,
                "memoryInMB": memory,
                "maxDataDiskCount": disks,
            }
            for name, cores, memory, disks in SIZES
        ]
    )


def usages(arm: ResourceManager, asked: ArmRequest) -> Response:
    found = asked.contents.resources.everywhere()
    machines = sum(resource["type"] == VIRTUAL_MACHINE for resource in found)
    rows = (("virtualMachines", "Virtual Machines", machines), ("cores", "Total Cores", machines))
    return values(
        [
            {
                "unit": "Count",
                "currentValue": used,
                "limit": 1000,
                "name": {"value": name, "localizedValue": title},
            }
            for name, title, used in rows
        ]
    )


def _versions(asked: ArmRequest) -> tuple[str, ...]:
    offered = _child(_child(IMAGES, asked.parts["publisher"]), asked.parts["offer"])
    found: tuple[str, ...] = _child(offered, asked.parts["sku"])
    return found


def _child(table: dict[str, Any], name: str) -> Any:
    """Return an entry of a table, without case; CloudError 404 when there is none."""
    for known, child in table.items():
        if known.lower() == name.lower():
            return child
    raise CloudError(Code.ARTIFACT_NOT_FOUND, artifact=name)


def _array(asked: ArmRequest, names: Iterable[str]) -> Response:
    """Return a bare array, as the image lists are."""
    base, location = asked.request.path, asked.parts["location"]
    return json_response(
        200,
        [{"id": f"{base}/{name}", "name": name, "location": location} for name in names],
    )
