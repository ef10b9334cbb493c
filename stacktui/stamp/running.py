"""A running stamp: the values that its clients need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stacktui.stamp.cloud import Cloud
from stacktui.stamp.connection import RequestLog, RequestRecord
from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.request_faults import RequestFaults

NOT_DESCRIBED = frozenset({"log", "folder", "request_faults"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStamp:
    """Values for clients of a running stamp. Ids and secrets are random at each start.

    Files are in `folder` (0700), which is deleted when the stamp stops. `resolve` maps
    `host:443` to `127.0.0.1:port` for a stamp under a domain, and is empty otherwise.
    `secret_file` and `password_file` hold the secret and the password alone. `proxy` is the URL of
    the proxy that clients must use, if any. The `imds_*` ids are those of the user-assigned
    managed identity, and `group_object_id` is of a security group that the user is in.
    """

    arm_url: str
    login_url: str
    port: int
    idp: IdentityProvider
    cloud: Cloud
    build: str
    fault: str | None
    tenant: str
    tenant_domain: str
    identity_provider_audience: str
    subscription_id: str
    location: str
    vm_image_aliases: str
    client_id: str
    object_id: str
    secret: str
    user: str
    password: str
    public_client_id: str
    device_login_url: str
    ca_file: str
    certificate_file: str
    secret_file: str
    password_file: str
    imds_url: str
    imds_client_id: str
    imds_object_id: str
    imds_resource_id: str
    group_object_id: str
    proxy: str | None
    resolve: Mapping[str, str]
    folder: Path
    log: RequestLog = field(repr=False)
    request_faults: RequestFaults = field(repr=False)

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The last requests, oldest first; bounded and thread-safe."""
        return self.log.records()

    def fault_at(self, *texts: str) -> None:
        """Replace the request faults, and count requests from 1 again; without any, end them."""
        self.request_faults.switch(texts)

    def describe(self) -> dict[str, object]:
        """Return all values for JSON: the line that `stacktui stamp` prints."""
        names = [name for name in self.__slots__ if name not in NOT_DESCRIBED]
        described = {name: getattr(self, name) for name in names}
        return described | {
            "resolve": dict(self.resolve),
            "idp": self.idp.value,
            "cloud": self.cloud.value,
        }
