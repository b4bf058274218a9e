"""What a run tells its log. Who listens is the command line's business; by default nobody does."""

from __future__ import annotations

import logging

from cytometry.pipeline.resume import Decision
from cytometry.pipeline.tasks import GroupResult

log = logging.getLogger("cytometry.run")
# Else Python would print warnings of a program that never asked for a log.
log.addHandler(logging.NullHandler())


def begins(command: str, study: str, n_inputs: int) -> None:
    """The output folder is claimed."""
    log.info(
        "%s begins: %d inputs%s",
        command,
        n_inputs,
        f" of study '{study}'" if study else "",
        extra={"facts": {"event": "begin", "command": command, "study": study, "inputs": n_inputs}},
    )


def decided(decision: Decision) -> None:
    """What will be done with a group, and why."""
    samples = [t.sample_id for t in decision.task.tubes]
    log.info(
        "group %s: %s: %s",
        decision.task.name,
        decision.action,
        decision.why,
        extra={
            "facts": {
                "event": "group",
                "group": decision.task.name,
                "action": decision.action,
                "why": decision.why,
                "samples": samples,
            }
        },
    )


def gated(group: str, result: GroupResult) -> None:
    """How each tube of a group ended; with the trace of a bug of ours."""
    for outcome in result.outcomes:
        facts: dict[str, object] = {
            "event": "sample",
            "group": group,
            "sample_id": outcome.sample_id,
            "status": outcome.status,
            "code": outcome.code,
            "events": outcome.total_events,
            "findings": [f.code for f in outcome.findings],
        }
        if outcome.status == "failed":
            trace = {"trace": result.trace} if result.trace else {}
            log.error(
                "%s failed: %s: %s", outcome.sample_id, outcome.code, outcome.reason, extra={"facts": facts | trace}
            )
        else:
            log.info(
                "%s %s: %s events, %d findings",
                outcome.sample_id,
                outcome.status,
                outcome.total_events,
                len(outcome.findings),
                extra={"facts": facts},
            )


def noticed(message: str) -> None:
    """Something that a person should know and that stops nothing."""
    log.warning("%s", message, extra={"facts": {"event": "warning"}})


def ends(command: str, exit_code: int, seconds: float) -> None:
    """The manifest is written."""
    log.info(
        "%s ended with exit code %d after %.1f s",
        command,
        exit_code,
        seconds,
        extra={"facts": {"event": "end", "command": command, "exit_code": exit_code, "seconds": round(seconds, 2)}},
    )
