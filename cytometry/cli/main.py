"""Entry point: the group of commands, and what happens to an error that leaves one."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from cytometry.cli import exit_codes
from cytometry.cli.lazy import LazyGroup
from cytometry.cli.output import note, print_error, print_json
from cytometry.cli.registry import COMMANDS
from cytometry.errors import CytometryError, RequestError

# One thread, unless the user says otherwise: a sum over several depends on their number, our matrices are small,
# and starting the threads takes as long as loading NumPy.
_MATRIX_LIBRARIES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_HELP = """Mechanistic flow cytometry for clinical trials.

FCS files in; gated populations, honest small-n tests and a report out.
Start with `cytometry init --demo DIR` and `cytometry run DIR/study.yaml`.
"""


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from cytometry.io.provenance import installed_versions

    click.echo(f"cytometry {installed_versions(['cytometry'])['cytometry']}")
    ctx.exit()


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Version.")
def cytometry() -> None:
    """Group of all commands."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    for library in _MATRIX_LIBRARIES:
        os.environ.setdefault(library, "1")
    argv = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run_command_line(argv))


def run_command_line(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code; no traceback for anything that an input can cause."""
    as_json = "--json" in argv
    signal.signal(signal.SIGTERM, _terminate)
    try:
        result = cytometry.main(args=list(argv), prog_name="cytometry", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as usage:
        click.echo(usage.format_message(), err=True)
        return exit_codes.USAGE
    except click.UsageError as usage:
        if as_json:
            print_error(RequestError(usage.format_message(), hint="see --help"), as_json=True)
        else:
            usage.show()
        return exit_codes.USAGE
    except _TerminatedError:
        note("stopped; what was finished is kept, run the same command again to go on")
        return exit_codes.TERMINATED
    except (click.exceptions.Abort, KeyboardInterrupt):
        note("interrupted; what was finished is kept, run the same command again to go on")
        return exit_codes.INTERRUPTED
    except click.ClickException as failure:
        note(f"error: {failure.format_message()}")
        return failure.exit_code
    except CytometryError as error:
        print_error(error, as_json=as_json)
        return error.exit_code
    except BrokenPipeError:
        # `cytometry schema study | head`: the reader has what it wanted.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.DONE
    except OSError as error:
        place = error.filename if isinstance(error.filename, str) else ""
        message = error.strerror or str(error)
        print_error(
            CytometryError(
                message, where=place, hint="check that the path exists, can be read and written, and has room"
            ),
            as_json=as_json,
        )
        return exit_codes.INPUT_WRONG
    except Exception as bug:  # noqa: BLE001 - the last line of defence: say that it is ours
        return _our_bug(bug, as_json=as_json)
    return result if isinstance(result, int) else exit_codes.DONE


class _TerminatedError(BaseException):
    """SIGTERM, as an exception: every ``finally`` on the way out runs."""


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _TerminatedError


def _our_bug(bug: Exception, *, as_json: bool) -> int:
    if as_json:
        print_json({"status": "error", "code": "OUR_BUG", "message": f"{type(bug).__name__}: {bug}"})
    if os.environ.get("CYTOMETRY_DEBUG"):
        note("".join(traceback.format_exception(bug)))
    frame = traceback.extract_tb(bug.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}:{frame.lineno}"  # noqa: PTH119 - a label, not a path
    note(f"error: this is a bug in cytometry, please report it: {type(bug).__name__}: {bug} ({place})")
    note("  hint: set CYTOMETRY_DEBUG=1 for the traceback")
    return exit_codes.OUR_BUG


if __name__ == "__main__":
    main()
