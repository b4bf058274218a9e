"""The log of a run: one line per record for people, and the same as JSON lines for programs.

Logs hold what results must not: times, places and the order in which workers ended.
They lie in ``OUT/logs``, outside of the manifest.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from cytometry.errors import OutputError
from cytometry.io.manifest import LOGS

_CONTROL = MappingProxyType({code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))})


def default_log(out: Path) -> Path:
    """``logs/run-<UTC>.log`` in the output folder."""
    return out / LOGS / f"run-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.log"


class RunLog(logging.Handler):
    """Writes records to ``path``, and as JSON to the same name with ``.jsonl``.

    The files are opened with the first record: a command that is refused leaves none.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(logging.INFO)
        self.path = path
        self.is_open = False

    def emit(self, record: logging.LogRecord) -> None:
        """Append one record; what is in it cannot begin a line of its own."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = record.getMessage()
        facts = getattr(record, "facts", {})
        trace = str(facts.get("trace", ""))
        line = f"{time} {record.levelname:7} {message.translate(_CONTROL)}\n"
        text = line + "".join(f"    {t.translate(_CONTROL)}\n" for t in trace.splitlines())
        document = {"time": time, "level": record.levelname.lower(), "message": message, **facts}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for path, data in (
                (self.path, text),
                (self.path.with_suffix(".jsonl"), json.dumps(document, ensure_ascii=False) + "\n"),
            ):
                with path.open("a", encoding="utf-8") as stream:
                    stream.write(data)
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}",
                where=str(self.path),
                hint="name another file with --log-file",
                code="OUTPUT_UNWRITABLE",
            ) from error
        self.is_open = True
