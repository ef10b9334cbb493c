"""Faults before TLS: names, ports, routes and proxies."""

from __future__ import annotations

from stacktui.diagnosis.catalogue import handshake, proxy, reach
from stacktui.diagnosis.entries.model import entry_of

REACH = tuple(map(entry_of, (*reach.FAULTS, handshake.TCP_RESET, *proxy.FAULTS)))
