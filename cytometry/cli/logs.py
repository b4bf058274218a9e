"""The log of a command: switched on before it works, and told how it ended."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cytometry.errors import CytometryError, OutputError, RequestError
from cytometry.io.manifest import LOGS
from cytometry.io.run_log import RunLog, default_log


@contextmanager
def run_log(out: Path, log_file: Path | None) -> Iterator[None]:
    """Write what happens inside to ``log_file``, by default to a new file in ``OUT/logs``.

    An error that leaves the block is logged too, with its trace where it is a bug
    of ours, unless nothing was logged before: then the folder was refused, and
    nothing may be written to it.
    """
    if log_file is not None and _would_not_verify(log_file, out):
        raise RequestError(
            f"the log {log_file} would be a result in {out}, and change after the manifest was written",
            hint=f"name a file elsewhere, or in {out / LOGS}",
        )
    handler = RunLog(log_file or default_log(out))
    logger = logging.getLogger("cytometry")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    except BaseException as error:
        if handler.is_open or log_file is not None:
            with suppress(OutputError):  # the error itself is what the user has to see
                _tell(logger, error)
        raise
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()


def _would_not_verify(log_file: Path, out: Path) -> bool:
    file, folder = log_file.resolve(), out.resolve()
    return file.is_relative_to(folder) and not file.is_relative_to(folder / LOGS)


def _tell(logger: logging.Logger, error: BaseException) -> None:
    is_ours = not isinstance(error, CytometryError | OSError | KeyboardInterrupt)
    trace = "".join(traceback.format_exception(error)) if is_ours else ""
    facts = {"event": "error", "code": getattr(error, "code", type(error).__name__), "process": os.getpid()}
    logger.error(
        "%s: %s", type(error).__name__, error, extra={"facts": {**facts, **({"trace": trace} if trace else {})}}
    )
