"""``cytometry spillover``: matrices from a study's single-stain controls, beside the acquisition matrix."""

from __future__ import annotations

from pathlib import Path

import click

from cytometry.cli.exit_codes import DONE, INPUT_WRONG, PARTLY_DONE
from cytometry.cli.options import shared
from cytometry.cli.output import finding_document, finding_line, note, print_json, say
from cytometry.errors import RequestError


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@shared("out", "strict", "json")
def spillover(study: Path, out: Path, strict: bool, as_json: bool) -> int:
    """Compute spillover from the single-stain controls of STUDY (role single_stain:<marker>).

    Writes one CSV per panel and batch, which 'compensation' in study.yaml can
    name, and says where it differs from the matrix that the instrument wrote.
    """
    from cytometry.io.atomic import write_atomically
    from cytometry.io.spillover import spillover_csv
    from cytometry.io.study import load_study
    from cytometry.pipeline.file_inputs import safe_name
    from cytometry.pipeline.single_stains import study_spillovers
    from cytometry.pipeline.study_inputs import load_panels

    loaded = load_study(study)
    results = study_spillovers(loaded, load_panels(loaded), strict=strict)
    if not results:
        raise RequestError(
            "the study has no single-stain control",
            where=str(study),
            hint="give rows of samples.csv the role single_stain:<marker>",
            code="NO_INPUT",
        )
    written = []
    for result in results:
        if result.spillover is not None:
            path = out / "spillover" / f"{safe_name(f'{result.panel}_{result.batch}')}.csv"
            write_atomically(path, spillover_csv(result.spillover))
            written.append(path)
            if not as_json:
                weakest = min(result.controls, key=lambda c: c.separation)
                say(
                    f"{path}: {len(result.controls)} detectors; weakest control {weakest.detector}, "
                    f"bright {weakest.separation:.0f} spreads above dull"
                )
        if not as_json:
            for finding in result.findings:
                note(finding_line(finding))
    failed = sum(r.spillover is None for r in results)
    code = DONE if not failed else PARTLY_DONE if written else INPUT_WRONG
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "exit_code": code,
                "written": [str(p) for p in written],
                "findings": [finding_document(f) for r in results for f in r.findings],
            }
        )
    return code
