"""The `stacktui` command: the dashboard without a subcommand, and the headless commands.

Exit codes: 0 all is well, 1 a fault was found, 2 wrong usage or config, 3 an internal error,
or a machine that lacks memory, threads, descriptors or disk space.
Each command's module is imported only when that command runs.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from stacktui import __version__
from stacktui.cli.ask import RemoteError
from stacktui.cli.layout import width
from stacktui.cli.lazy import LazyGroup
from stacktui.cli.name_completion import environment_names
from stacktui.cli.options import (
    ExitCode,
    config_option,
    examples,
    limit_option,
    log_requests_option,
)
from stacktui.config.read_only import set_by_option
from stacktui.errors import StacktuiError, exhausted_resource

# The one-line help of each command; a module of this package has it as `command`.
COMMANDS = {
    "certificates": "Show chains and who trusts them, trust a root, check and convert files.",
    "completion": "Print the completion script of bash, zsh or fish.",
    "check": "Check the connection to an environment, headless.",
    "clients": "List the Python environments here, and which can talk to a stamp.",
    "environments": "List environments, show and change settings and records.",
    "groups": "List and show resource groups; create, tag and delete them.",
    "identities": "List, add, change and test identities; tokens; roles.",
    "providers": "List resource providers, show the api-versions of one, register one.",
    "rest": "Send any request to ARM, signed in.",
    "subscriptions": "List subscriptions, choose the one of an environment.",
    "demo": "Open the dashboard on an embedded stamp, or drill a fault.",
    "operations": "List deletions that were begun and may go on in ARM.",
    "history": "Show what past checks found, and since when it is so.",
    "explain": "Explain a verdict by its id, or what a message of az can mean.",
    "stamp": "Run an embedded Azure Stack Hub for tests and training.",
}

# The signals that end a process, without Ctrl+C: SIGHUP on POSIX only; on Windows, closing the
# window sends SIGBREAK.
_ENDINGS = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")
ENDINGS = tuple(signal.Signals[name] for name in _ENDINGS if hasattr(signal, name))

# The errors of writing to a full disk or a broken stdout.
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF, errno.EFBIG})


def _debugged(_: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from stacktui.config.error_file import ask_for_traceback

        ask_for_traceback()


def _read_only(_: click.Context, _option: click.Parameter, wanted: bool) -> None:
    set_by_option(wanted)


@click.group(
    cls=LazyGroup,
    package="stacktui.cli",
    table=dict(sorted(COMMANDS.items())),
    invoke_without_command=True,
    epilog=examples("stacktui check West", "stacktui explain tls-untrusted-root", "stacktui demo"),
    # Groups and commands below inherit this.
    context_settings={"help_option_names": ["-h", "--help"]},
)
@config_option
@click.option(
    "--environment",
    metavar="NAME",
    shell_complete=environment_names,
    help="Open the dashboard on this environment.",
)
@limit_option
@log_requests_option
@click.option(
    "--read-only",
    is_flag=True,
    expose_value=False,
    callback=_read_only,
    help="Change no file and no stamp: hide and refuse what writes. Checks run, and are in the "
    "history.",
)
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_debugged,
    help="Write the traceback of an internal error to a file (also: STACKTUI_DEBUG=1).",
)
@click.version_option(__version__, package_name="stacktui", message="%(prog)s %(version)s")
@click.pass_context
def cli(
    ctx: click.Context, config: Path | None, environment: str | None, limits: dict[str, float]
) -> None:
    """A terminal dashboard and connectivity check for Azure Stack Hub.

    Without a command, the dashboard opens.
    """
    ctx.obj = config
    if ctx.invoked_subcommand is None:
        from stacktui.cli.dashboard import open_dashboard

        ctx.exit(open_dashboard(config, environment, limits))


def main() -> None:
    """The console script."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # started with it closed
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115
    _exit_on_signals()
    _report_errors_once()
    code = run(sys.argv[1:])
    if code == ExitCode.OURS:
        # Without memory or threads, the interpreter's own end may crash: everything is written.
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command line; return an exit code, after at most one line on stderr."""
    try:
        code: int = cli.main(
            list(arguments), prog_name="stacktui", standalone_mode=False, terminal_width=width()
        )
    except click.ClickException as error:
        error.show()
        code = ExitCode.FAULT if isinstance(error, RemoteError) else ExitCode.USAGE
    except StacktuiError as error:
        click.echo(f"stacktui: {error}", err=True)
        code = ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        code = 130  # as a shell reports an end by SIGINT
    except BrokenPipeError:
        _discard_stdout()  # the reader went away, as `| head` does
        code = ExitCode.FAULT
    except Exception as error:
        code = _report_other_error(error)
    return code or ExitCode.HEALTHY


def _exit_on_signals() -> None:
    """Exit normally on the signals of `ENDINGS`, so that temporary files are removed."""

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    for number in ENDINGS:
        signal.signal(number, leave)


def _report_errors_once() -> None:
    """Keep the interpreter from writing what no one catches; `run` reports in one line what failed.

    Such are errors of threads and of finalizers, where memory or descriptors are short.
    """
    threading.excepthook = lambda _: None
    sys.unraisablehook = lambda _: None
    warnings.simplefilter("ignore")


def _discard_stdout() -> None:
    """Replace stdout, so that the interpreter does not fail at exit flushing it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_other_error(error: Exception) -> int:
    """Report what the machine lacks, or an internal error, in one line."""
    if isinstance(error, OSError) and error.errno in _UNWRITABLE and error.filename is None:
        _discard_stdout()
        line = f"cannot write the result: {error.strerror}"
    elif not (line := exhausted_resource(error)):  # before an import, for which memory may lack
        from stacktui.config.error_file import describe_error

        line = f"{describe_error(error)} with the command you ran"
    click.echo(f"stacktui: {line}", err=True)
    return ExitCode.OURS
