"""Runs inside mitmproxy: leads the stamp's names to the stamp, and tells where mitmproxy listens.

Stands in for the DNS of a site, which knows no other name. The name that a client asked for stays
the one that mitmproxy asks the stamp for, and verifies its certificate against.
"""

import json
import os

from mitmproxy import ctx


class TowardsStamp:
    def server_connect(self, data):  # type: ignore[no-untyped-def]
        pins = json.loads(os.environ["STAMP_PINS"])
        name = "{}:{}".format(*data.server.address)
        if name not in pins:
            data.server.error = f"{name} does not exist"
            return
        host, _, port = pins[name].rpartition(":")
        data.server.address = (host, int(port))

    def running(self):  # type: ignore[no-untyped-def]
        servers = ctx.master.addons.get("proxyserver").servers
        listening = {each.mode.full_spec: each.listen_addrs[0] for each in servers}
        print(json.dumps(listening), flush=True)


addons = [TowardsStamp()]
