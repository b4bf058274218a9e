"""What ``gate``, ``run`` and ``status`` tell of groups and samples."""

from __future__ import annotations

from collections.abc import Sequence

from cytometry.cli.output import Json, note, say
from cytometry.pipeline.gate_step import GateResult, GatingJob, summary
from cytometry.pipeline.resume import Decision

# Of hundreds of samples so many are named; the report lists all, worst first.
_LOOK_FIRST = 5


def decisions_document(job: GatingJob, decisions: Sequence[Decision]) -> Json:
    """Dry run and status as JSON."""
    return {
        "schema_version": 1,
        "out": str(job.out),
        "groups": [
            {
                "group": d.task.name,
                "panel": d.task.panel,
                "samples": [t.sample_id for t in d.task.tubes],
                "action": d.action,
                "why": d.why,
            }
            for d in decisions
        ],
        "settled": [
            {"sample_id": i.tube.sample_id, "status": i.outcome.status, "code": i.outcome.code, "why": i.outcome.reason}
            for i in job.plan.inputs
            if i.outcome is not None
        ],
    }


def say_decisions(job: GatingJob, decisions: Sequence[Decision]) -> None:
    """Dry run and status in words: a line per sample."""
    for decision in decisions:
        for tube in decision.task.tubes:
            say(f"{decision.action:5}  {tube.sample_id}  {decision.why}")
    for planned in job.plan.inputs:
        if planned.outcome is not None:
            say(f"{planned.outcome.status:5}  {planned.tube.sample_id}  {planned.outcome.reason}")
    count = {action: sum(d.action == action for d in decisions) for action in ("run", "stale", "skip")}
    say(f"groups: {count['run']} to run, {count['stale']} stale, {count['skip']} up to date")


def gate_document(job: GatingJob, result: GateResult) -> dict[str, Json]:
    """Outcome of a gating run as JSON."""
    return {
        "schema_version": 1,
        "status": "done",
        "exit_code": result.exit_code,
        "out": str(job.out),
        "counts": str(job.out / "tables" / "counts.csv"),
        **summary(result.run),
        "samples": [
            {"sample_id": o.sample_id, "status": o.status, "code": o.code, "reason": o.reason, "events": o.total_events}
            for o in result.run.collected.outcomes
        ],
    }


def _look_first(result: GateResult) -> list[str]:
    """The samples with most warnings, and of which kind: where a reader should begin."""
    codes: dict[str, list[str]] = {}
    for row in result.run.collected.tables["findings"]:
        if row["severity"] == "warning" and row["sample_id"]:
            codes.setdefault(str(row["sample_id"]), []).append(str(row["code"]))
    worst = sorted(codes, key=lambda s: -len(codes[s]))[:_LOOK_FIRST]
    return [f"look first: {s}: {', '.join(f'{codes[s].count(c)} {c}' for c in dict.fromkeys(codes[s]))}" for s in worst]


def say_gating(job: GatingJob, result: GateResult) -> None:
    """Outcome of a gating run in words; failures are named on stderr."""
    by_id = {i.tube.sample_id: i.tube.fcs_file for i in job.plan.inputs}
    for outcome in result.run.collected.outcomes:
        if outcome.status == "failed":
            note(f"failed: {outcome.sample_id} ({by_id[outcome.sample_id]}): {outcome.code}: {outcome.reason}")
    for line in _look_first(result):
        say(line)
    skipped = sum(d.action == "skip" for d in result.run.decisions)
    say(f"{result.run.tally.sentence}; {skipped} of {len(result.run.decisions)} groups were up to date")
    say(str(job.out / "tables" / "counts.csv"))
