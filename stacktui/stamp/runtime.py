"""Starting and stopping a stamp: files, keys, sockets, and a thread of its own on demand."""

from __future__ import annotations

import asyncio
import socket
import ssl
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from stacktui.stamp.arm.bearer import Gate
from stacktui.stamp.arm.groups import Groups
from stacktui.stamp.arm.manager import ResourceManager
from stacktui.stamp.arm.routes import Arm
from stacktui.stamp.clock import Clock
from stacktui.stamp.connection import HttpService, RequestLog
from stacktui.stamp.directory import AZURE_CLI_CLIENT_ID, Directory, make_directory
from stacktui.stamp.fault import NO_FAULT, Fault, Wire
from stacktui.stamp.faults import FAULTS
from stacktui.stamp.hosts import LOOPBACK, Hosts
from stacktui.stamp.options import StampOptions
from stacktui.stamp.pki import (
    ServerChain,
    make_client_certificate,
    make_key,
    make_server_chain,
    write_private,
)
from stacktui.stamp.running import RunningStamp
from stacktui.stamp.signin.devices import DeviceCodes
from stacktui.stamp.signin.jwt import Signer
from stacktui.stamp.signin.pages import verification_page
from stacktui.stamp.signin.service import TokenService
from stacktui.stamp.site import Site
from stacktui.stamp.sockets import Door, Mute, bound, listening, lost

Started = tuple[RunningStamp, asyncio.AbstractEventLoop, asyncio.Event]

CA_FILE, CERTIFICATE_FILE = "ca.pem", "sp.pem"
SECRET_FILE, PASSWORD_FILE = "secret", "password"


@asynccontextmanager
async def serve(options: StampOptions) -> AsyncIterator[RunningStamp]:
    """Run a stamp on the running event loop; OSError when a port is taken."""
    fault = FAULTS[options.fault] if options.fault else NO_FAULT
    log = RequestLog()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stacktui-stamp-")))
        workers = stack.enter_context(ThreadPoolExecutor(2, "stacktui-stamp-key"))
        # RSA keys take longer than all the rest together. The service principal's is needed for
        # its certificate; the token key is only awaited by the first token.
        client_key = asyncio.wrap_future(workers.submit(make_key))
        token_key = workers.submit(make_key)
        front = stack.enter_context(bound(options.port))
        imds = stack.enter_context(bound(options.imds_port))
        hosts = Hosts(options.idp, options.domain, front.getsockname()[1])
        chain = make_server_chain(hosts.certificate_names(), fault.chain)
        context = chain.context(folder, fault.chain)
        handed = _hand_out(options, chain, await client_key, folder)
        site = _site(options, fault, hosts, handed, token_key)
        await _listen(stack, site, log, context, front, imds)
        proxy = await _proxy(stack, fault.proxy)
        for name, content in fault.files.items():
            _spoil(folder / name, content)
        yield _describe(site, folder, log, imds.getsockname()[1], proxy)


@contextmanager
def run_in_thread(options: StampOptions) -> Iterator[RunningStamp]:
    """Run a stamp in a thread and event loop of its own; what fails at start is raised here."""
    started: Future[Started] = Future()

    async def main() -> None:
        stop = asyncio.Event()
        async with serve(options) as stamp:
            started.set_result((stamp, asyncio.get_running_loop(), stop))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="stacktui-stamp", daemon=True)
    thread.start()
    try:
        yield started.result()[0]
    finally:
        # An interrupt may come before the stamp is up: it is stopped as soon as it is.
        started.add_done_callback(_stop)
        thread.join()


def _stop(started: Future[Started]) -> None:
    """Stop what has started, if anything has."""
    if started.exception() is None:
        _, loop, stop = started.result()
        # The loop is closed already when the thread died of an error of its own.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)


def _hand_out(
    options: StampOptions, chain: ServerChain, key: rsa.RSAPrivateKey, folder: Path
) -> Directory:
    """Make the directory, and the files that its clients get."""
    certificate = make_client_certificate("stacktui-ops", key)
    directory = make_directory(options.idp, certificate.certificate)
    write_private(folder / CA_FILE, chain.ca_file)
    write_private(folder / CERTIFICATE_FILE, certificate.key_pem() + certificate.certificate_pem())
    write_private(folder / SECRET_FILE, directory.application.secret.encode())
    write_private(folder / PASSWORD_FILE, directory.user.password.encode())
    return directory


def _site(
    options: StampOptions,
    fault: Fault,
    hosts: Hosts,
    handed: Directory,
    token_key: Future[rsa.RSAPrivateKey],
) -> Site:
    """The services, knowing what the fault lets them know."""
    known = fault.knows(handed) if fault.knows else handed
    clock, signer = Clock(fault.clock), Signer(token_key)
    devices = DeviceCodes(fault.code_lifetime, declines=fault.declines)
    tokens = TokenService(
        options, hosts, clock, known, signer, devices, fault.claims, fault.refuses
    )
    manager = ResourceManager(
        hosts,
        known,
        Groups(known.subscription, hosts.region, options.groups),
        build=fault.build or options.build,
        page_size=options.page_size,
        denies=fault.denies,
    )
    gate = Gate(hosts, clock, known, signer)
    return Site(hosts, handed, tokens, Arm(manager, gate), fault)


async def _listen(
    stack: AsyncExitStack,
    site: Site,
    log: RequestLog,
    context: ssl.SSLContext,
    front: socket.socket,
    imds: socket.socket,
) -> None:
    """Put the services behind the sockets, as the fault's wire has it."""
    latency, clock = site.tokens.options.latency, site.tokens.clock
    service = HttpService(site.answer, latency=latency, clock=clock, log=log)
    plain = HttpService(site.answer_imds, latency=latency, clock=clock, log=log)
    if site.fault.imds_listens:
        await stack.enter_async_context(listening(plain, imds, None))
    match site.fault.wire:
        case Wire.TLS:
            await stack.enter_async_context(listening(service, front, context))
        case Wire.PLAIN_HTTP:
            await stack.enter_async_context(listening(service, front, None))
        case Wire.SILENCE:
            await stack.enter_async_context(listening(Mute(reset=False), front, None))
        case Wire.RESET:
            await stack.enter_async_context(listening(Mute(reset=True), front, None))
        case Wire.LOST:
            stack.enter_context(lost(front))
        case Wire.NOBODY:
            pass


async def _proxy(stack: AsyncExitStack, answer: bytes | None) -> str | None:
    """The URL of a proxy that says this to all, if there is to be one."""
    if answer is None:
        return None
    door = stack.enter_context(bound(0))
    if answer:
        await stack.enter_async_context(listening(Door(answer), door, None))
    return f"http://{LOOPBACK}:{door.getsockname()[1]}"


def _spoil(path: Path, content: bytes | None) -> None:
    """Replace a file that was handed out, or remove it."""
    path.unlink()
    if content is not None:
        write_private(path, content)


def _describe(
    site: Site, folder: Path, log: RequestLog, imds_port: int, proxy: str | None
) -> RunningStamp:
    hosts, handed, options = site.hosts, site.handed, site.tokens.options
    assigned = handed.identities[-1]
    stamp = RunningStamp(
        arm_url=hosts.arm,
        login_url=hosts.login,
        port=hosts.port,
        idp=options.idp,
        build=site.arm.manager.build,
        fault=options.fault,
        tenant=handed.tenant,
        tenant_domain=handed.domain,
        identity_provider_audience=handed.audience,
        subscription_id=handed.subscription,
        location=hosts.region,
        client_id=handed.application.client_id,
        object_id=handed.application.object_id,
        secret=handed.application.secret,
        user=handed.user.name,
        password=handed.user.password,
        public_client_id=AZURE_CLI_CLIENT_ID,
        device_login_url=verification_page(site.tokens),
        ca_file=str(folder / CA_FILE),
        certificate_file=str(folder / CERTIFICATE_FILE),
        secret_file=str(folder / SECRET_FILE),
        password_file=str(folder / PASSWORD_FILE),
        imds_url=f"http://{LOOPBACK}:{imds_port}",
        imds_client_id=assigned.client_id,
        imds_object_id=assigned.object_id,
        imds_resource_id=assigned.resource_id or "",
        proxy=proxy,
        resolve=hosts.resolve(),
        folder=folder,
        log=log,
    )
    return replace(stamp, **site.fault.hands)
