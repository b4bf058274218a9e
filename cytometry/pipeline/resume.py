"""Which groups have to be gated, and why: the decision that ``status``, ``--dry-run`` and a run share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cytometry.io.parts import PartRecord, damaged_outputs, read_part_record
from cytometry.pipeline.tasks import DRAWS, GroupTask

Action = Literal["skip", "run", "stale"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a group.

    Parameters
    ----------
    action
        ``skip``: every part is there under the group's key; ``run``: a part was
        never finished; ``stale``: it was made from something else.
    why
        For a person: what is missing, damaged or different.
    """

    task: GroupTask
    action: Action
    why: str


def decide(task: GroupTask, *, force: bool = False) -> Decision:
    """Compare a group's key with the parts on disk; a part counts only if all its bytes are as recorded."""
    if force:
        return Decision(task, "run", "--force")
    for tube in task.tubes:
        record = read_part_record(task.out, task.panel, tube.sample_id)
        if record is None:
            return Decision(task, "run", f"{tube.sample_id} was never finished")
        if not fits(task, record):
            return Decision(task, "stale", f"changed since: {changed_ingredients(task, record)}")
        damaged = damaged_outputs(task.out, record)
        if damaged:
            return Decision(task, "stale", f"damaged or missing: {', '.join(damaged)}")
    return Decision(task, "skip", "up to date")


def fits(task: GroupTask, record: PartRecord) -> bool:
    """Whether a part is what the task would make.

    Redrawn gates only add to a part: where none are asked for, a part that has
    them serves as well, so that ``gate`` after ``run`` redoes nothing.
    """
    if record.key == task.key:
        return True
    if task.settings.gate_draws:
        return False
    names = (task.ingredients.keys() | record.ingredients.keys()) - {DRAWS}
    return all(task.ingredients.get(n) == record.ingredients.get(n) for n in names)


def changed_ingredients(task: GroupTask, record: PartRecord) -> str:
    """Names of the ingredients in which a part differs from its task."""
    names = [n for n, digest in task.ingredients.items() if record.ingredients.get(n) != digest]
    return ", ".join(names) or "the key"


def current_record(task: GroupTask, sample_id: str, out: Path) -> PartRecord | None:
    """The part of a tube if it was made under the task's key and is whole."""
    record = read_part_record(out, task.panel, sample_id)
    if record is None or not fits(task, record) or damaged_outputs(out, record):
        return None
    return record
