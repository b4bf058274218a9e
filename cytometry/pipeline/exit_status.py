"""How a run ended, as a number: part of the interface and of the manifest."""

from __future__ import annotations

from typing import Final

from cytometry.pipeline.collect import Collected

DONE: Final = 0
INPUT_WRONG: Final = 1
LIMIT_REACHED: Final = 3
PARTLY_DONE: Final = 4
SEVERITIES: Final = ("info", "warning", "error")


def exit_status(collected: Collected, *, fail_on: str = "") -> int:
    """0 done; 1 no sample succeeded; 4 some failed; 3 a finding reached the limit that was asked for.

    A failed sample weighs more than a limit: 4 comes before 3.
    """
    done = sum(o.status == "done" for o in collected.outcomes)
    failed = sum(o.status == "failed" for o in collected.outcomes)
    if failed and not done:
        return INPUT_WRONG
    if failed:
        return PARTLY_DONE
    if fail_on:
        reached = SEVERITIES[SEVERITIES.index(fail_on) :]
        if any(row["severity"] in reached for row in collected.tables["findings"]):
            return LIMIT_REACHED
    return DONE
