"""``cytometry check``: tables, files and markers; gates nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from cytometry.cli.exit_codes import DONE, INPUT_WRONG, LIMIT_REACHED, PARTLY_DONE
from cytometry.cli.options import shared
from cytometry.cli.output import finding_document, finding_line, note, print_json, say
from cytometry.pipeline.gate_step import study_job
from cytometry.pipeline.tasks import GatingSettings

_SHOWN_PER_CODE = 5


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@shared("set", "strict", "fail_on", "json")
def check(study: Path, changes: tuple[str, ...], strict: bool, fail_on: str | None, as_json: bool) -> int:
    """Check STUDY (study.yaml): tables, files, channels against markers, design. Reports every problem at once."""
    job = study_job(study, Path("out"), GatingSettings(strict=strict), changes)
    from cytometry.pipeline.check_step import check_job

    result = check_job(job)
    if result.n_unusable:
        code = INPUT_WRONG if result.n_unusable >= len(job.plan.inputs) else PARTLY_DONE
    else:
        wanted = {"info": ("info", "warning", "error"), "warning": ("warning", "error")}.get(fail_on or "", ())
        code = LIMIT_REACHED if any(f.severity in wanted for f in result.findings) else DONE
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "status": "done",
                "exit_code": code,
                "files": result.n_files,
                "unusable": result.n_unusable,
                "channels": {sample: dict(found) for sample, found in result.mapping.items()},
                "findings": [finding_document(f) for f in result.findings],
            }
        )
        return code
    seen: Counter[str] = Counter()
    for finding in result.findings:
        seen[finding.code] += 1
        if finding.severity == "error" or seen[finding.code] <= _SHOWN_PER_CODE:
            note(finding_line(finding))
    for name, count in seen.items():
        if count > _SHOWN_PER_CODE and all(f.severity != "error" for f in result.findings if f.code == name):
            note(f"  … and {count - _SHOWN_PER_CODE} more of {name}; --json lists all")
    subjects = len(job.study.subject_ids) if job.study else 0
    say(
        f"{result.n_files} files of {subjects} participants: {result.n_files - result.n_unusable} usable, "
        f"{result.n_unusable} not; {len(result.findings)} findings"
    )
    return code
