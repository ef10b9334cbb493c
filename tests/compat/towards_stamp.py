"""An addon of mitmproxy: connects the stamp's names to the stamp, and prints the listeners.

It replaces a site's DNS, which knows no other name. mitmproxy still uses the client's name for SNI
and for the verification of the stamp's certificate.
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
