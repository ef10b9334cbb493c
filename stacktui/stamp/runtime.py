"""Start and stop of a stamp: keys, files, sockets, and a thread if wanted."""

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

from stacktui.stamp import alias_document
from stacktui.stamp.arm.bearer_auth import BearerAuth
from stacktui.stamp.arm.operator import OPERATOR_ACTIONS, OperatorApi
from stacktui.stamp.arm.routes import ArmRouter
from stacktui.stamp.arm.setup import make_manager
from stacktui.stamp.arm.versions import LATEST
from stacktui.stamp.clock import Clock
from stacktui.stamp.connection import HttpService, RequestLog
from stacktui.stamp.directory import AZURE_CLI_CLIENT_ID, Directory
from stacktui.stamp.faults import FAULTS
from stacktui.stamp.faults.model import NO_FAULT, ConnectionFault, Fault
from stacktui.stamp.hosts import LOOPBACK, Hosts
from stacktui.stamp.new_directory import make_directory
from stacktui.stamp.options import StampOptions
from stacktui.stamp.pki import (
    ServerChain,
    make_client_certificate,
    make_key,
    make_server_chain,
    write_private,
)
from stacktui.stamp.request_faults import RequestFaults
from stacktui.stamp.router import Router
from stacktui.stamp.running import RunningStamp
from stacktui.stamp.signin.device_codes import DeviceCodes
from stacktui.stamp.signin.device_flow import verification_page
from stacktui.stamp.signin.jwt import Signer
from stacktui.stamp.signin.service import TokenService
from stacktui.stamp.sockets import (
    blackhole,
    bound_socket,
    canned_proxy,
    listening,
    resetting_server,
    silent_server,
)

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
        # Generating the RSA keys takes most of the start. The client's is needed for its
        # certificate; the first token waits for the token key.
        client_key = asyncio.wrap_future(workers.submit(make_key))
        token_key = workers.submit(make_key)
        tls_socket = stack.enter_context(bound_socket(options.port))
        imds_socket = stack.enter_context(bound_socket(options.imds_port))
        hosts = Hosts(options.idp, options.domain, tls_socket.getsockname()[1], options.cloud)
        spec = replace(fault.chain, san=options.san)
        chain = make_server_chain(hosts.certificate_names(), spec)
        context = chain.ssl_context(folder, spec)
        advertised = _write_client_files(options, chain, await client_key, folder)
        router = _router(options, fault, hosts, advertised, token_key)
        faults = RequestFaults(options.fault_at)
        await _serve_ports(stack, router, (log, faults), context, tls_socket, imds_socket)
        proxy = await _serve_proxy(stack, fault.proxy_response)
        for name, content in fault.client_files.items():
            _corrupt_file(folder / name, content)
        if fault.open_client_files:
            _open(folder)
        yield _describe(router, folder, (log, faults), imds_socket.getsockname()[1], proxy)


@contextmanager
def run_in_thread(options: StampOptions) -> Iterator[RunningStamp]:
    """Run a stamp in a thread with its own event loop; errors at start are raised in the caller."""
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
        # An interrupt may arrive during the start: the stamp is then stopped once it is up.
        started.add_done_callback(_stop)
        thread.join()


def _stop(started: Future[Started]) -> None:
    """Stop the stamp if its start succeeded."""
    if started.exception() is None:
        _, loop, stop = started.result()
        # The loop is closed when the thread ended with an error.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)


def _write_client_files(
    options: StampOptions, chain: ServerChain, key: rsa.RSAPrivateKey, folder: Path
) -> Directory:
    """Make the directory, and write the files for its clients."""
    certificate = make_client_certificate("stacktui-ops", key)
    directory = make_directory(options, certificate.certificate)
    write_private(folder / CA_FILE, chain.ca_file)
    write_private(folder / CERTIFICATE_FILE, certificate.key_pem() + certificate.certificate_pem())
    write_private(folder / SECRET_FILE, directory.application.secret.encode())
    write_private(folder / PASSWORD_FILE, directory.user.password.encode())
    return directory


def _router(
    options: StampOptions,
    fault: Fault,
    hosts: Hosts,
    advertised: Directory,
    token_key: Future[rsa.RSAPrivateKey],
) -> Router:
    """Return the router over all services, set up as the fault says."""
    directory = fault.server_overrides(advertised) if fault.server_overrides else advertised
    clock, signer = Clock(fault.clock_offset), Signer(token_key)
    devices = DeviceCodes(fault.device_code_lifetime, declines=fault.declines_device_codes)
    tokens = TokenService(
        options, hosts, clock, directory, signer, devices, fault.edit_claims, fault.token_error
    )
    build = LATEST if hosts.is_public else fault.build or options.build
    bearer_auth = BearerAuth(hosts, clock, directory, signer)
    manager = make_manager(
        options,
        directory,
        OperatorApi(hosts, clock, build, fault.health),
        bearer_auth,
        fault.denied_actions | (frozenset() if options.operators else OPERATOR_ACTIONS),
    )
    return Router(hosts, advertised, tokens, ArmRouter(manager, bearer_auth), fault)


async def _serve_ports(
    stack: AsyncExitStack,
    router: Router,
    shared: tuple[RequestLog, RequestFaults],
    context: ssl.SSLContext,
    tls_socket: socket.socket,
    imds_socket: socket.socket,
) -> None:
    """Serve the TLS port and the IMDS port, or what the fault puts in their place."""
    latency, clock = router.tokens.options.latency, router.tokens.clock
    log, faults = shared
    service, imds = (
        HttpService(respond, latency=latency, clock=clock, log=log, faults=faults)
        for respond in (router.respond, router.respond_imds)
    )
    if router.fault.imds_listens:
        await stack.enter_async_context(listening(imds.handle, imds_socket, None))
    match router.fault.connection:
        case ConnectionFault.NONE:
            await stack.enter_async_context(listening(service.handle, tls_socket, context))
        case ConnectionFault.PLAIN_HTTP:
            await stack.enter_async_context(listening(service.handle, tls_socket, None))
        case ConnectionFault.SILENT:
            await stack.enter_async_context(listening(silent_server, tls_socket, None))
        case ConnectionFault.RESET:
            await stack.enter_async_context(listening(resetting_server, tls_socket, None))
        case ConnectionFault.BLACKHOLE:
            stack.enter_context(blackhole(tls_socket))
        case ConnectionFault.REFUSED:
            pass


async def _serve_proxy(stack: AsyncExitStack, response: bytes | None) -> str | None:
    """Start a proxy with one response and return its URL; None for None. Empty: nothing listens."""
    if response is None:
        return None
    opened = stack.enter_context(bound_socket(0))
    if response:
        await stack.enter_async_context(listening(canned_proxy(response), opened, None))
    return f"http://{LOOPBACK}:{opened.getsockname()[1]}"


def _corrupt_file(path: Path, content: bytes | None) -> None:
    """Replace a client file, or remove it for None."""
    path.unlink()
    if content is not None:
        write_private(path, content)


def _open(folder: Path) -> None:
    """Let every user of the machine read the client's files, whose secrets end with the stamp."""
    for name in (CERTIFICATE_FILE, SECRET_FILE, PASSWORD_FILE):
        (folder / name).chmod(0o644)
    folder.chmod(0o711)


def _describe(
    router: Router,
    folder: Path,
    shared: tuple[RequestLog, RequestFaults],
    imds_port: int,
    proxy: str | None,
) -> RunningStamp:
    hosts, advertised, options = router.hosts, router.advertised, router.tokens.options
    assigned = advertised.managed_identities[-1]
    stamp = RunningStamp(
        arm_url=hosts.arm,
        login_url=hosts.login,
        port=hosts.port,
        idp=options.idp,
        cloud=options.cloud,
        build=router.arm.manager.build,
        fault=options.fault,
        tenant=advertised.tenant,
        tenant_domain=advertised.domain,
        identity_provider_audience=advertised.audience,
        subscription_id=advertised.subscription,
        location=hosts.region,
        vm_image_aliases=alias_document.url(hosts),
        client_id=advertised.application.client_id,
        object_id=advertised.application.object_id,
        secret=advertised.application.secret,
        user=advertised.user.name,
        password=advertised.user.password,
        public_client_id=AZURE_CLI_CLIENT_ID,
        device_login_url=verification_page(router.tokens),
        ca_file=str(folder / CA_FILE),
        certificate_file=str(folder / CERTIFICATE_FILE),
        secret_file=str(folder / SECRET_FILE),
        password_file=str(folder / PASSWORD_FILE),
        imds_url=f"http://{LOOPBACK}:{imds_port}",
        imds_client_id=assigned.client_id,
        imds_object_id=assigned.object_id,
        imds_resource_id=assigned.resource_id or "",
        proxy=proxy,
        group_object_id=advertised.group.object_id,
        resolve=hosts.resolve(),
        folder=folder,
        log=shared[0],
        request_faults=shared[1],
    )
    return replace(stamp, **router.fault.client_overrides)
