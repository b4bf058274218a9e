from __future__ import annotations

import dataclasses
import re

import pytest

from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.report import build_report
from cytometry.reporting.results import response_visit
from cytometry.reporting.sections import SECTIONS
from tests.reporting.invented import invented_inputs, invented_previews, invented_study
from tests.reporting.page import Page


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return invented_inputs()


@pytest.fixture(scope="module")
def html(inputs: ReportInputs) -> str:
    return build_report(inputs)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_section_is_there_in_the_registry_s_order(html: str) -> None:
    # Only a run without statistics is summed up at a glance.
    assert re.findall(r'<section id="([^"]+)"', html) == [s.id for s in SECTIONS if s.id != "glance"]


def test_numbers_on_the_page_are_those_of_the_comparison_table(inputs: ReportInputs, page: Page) -> None:
    comparison = inputs.tables["comparison"]
    panel = comparison[(comparison["role"] == "panel") & (comparison["visit"] == "w08")]
    shown = page.tables["t-panel"]
    for head, column in (("n", "n"), ("p", "p"), ("Adjusted p", "p_maxt"), ("Smallest p possible", "p_floor")):
        assert shown.numbers(head) == pytest.approx(panel[column].tolist(), nan_ok=True)
    assert shown.numbers("Ratio to baseline [exact interval]") == pytest.approx(panel["effect"].tolist())


def test_the_text_of_a_cell_is_its_number_rounded(inputs: ReportInputs, page: Page) -> None:
    comparison = inputs.tables["comparison"]
    row = comparison[(comparison["role"] == "confirmatory")].iloc[0]
    shown = page.tables["t-confirmatory"]
    assert shown.column("p") == [f"{row['p']:.3f}\n{int(row['p_count'])}/{int(row['p_total'])}"]
    expected = f"{row['effect']:.2f} [{row['effect_low']:.2f} to {row['effect_high']:.2f}]"
    assert shown.column("Ratio to baseline [exact interval]") == [expected]
    assert shown.column("Direction") == [f"{row['n_fell']}/{row['n']} fell"]


def test_downloads_hold_the_whole_tables_at_full_precision(inputs: ReportInputs, page: Page) -> None:
    for name in ("changes", "individuals", "thresholds"):
        frame = inputs.tables[name]
        rows = page.csv(name)
        assert len(rows) == len(frame)
    changes = inputs.tables["changes"]
    back = [float(r["change"]) for r in page.csv("changes") if r["change"]]
    assert back == changes["change"].dropna().tolist()


def test_a_download_has_the_computed_columns_and_none_of_the_page_s_texts(inputs: ReportInputs, page: Page) -> None:
    for name, table in (("panel", "comparison"), ("correlation", "correlation"), ("responders", "responders")):
        assert list(page.csv(name)[0]) == list(inputs.tables[table].columns)


def test_every_table_of_the_analysis_can_be_read_or_downloaded(inputs: ReportInputs, page: Page) -> None:
    offered = {str(a.get("download")) for a in page.links}
    # The comparison is shown in parts, by role and visit; the rates as a plain table.
    parts = {"comparison": "panel", "confirmatory": "confirmatory", "response_rate": "response_rate"}
    computed = [n for n, f in inputs.tables.items() if n not in {"counts", "samples"} and not f.empty]
    missing = [n for n in computed if f"{parts.get(n, n)}.csv" not in offered]
    assert missing == []


def test_response_rate_stands_with_its_exact_interval(html: str) -> None:
    # 5 of 6: Clopper-Pearson 35.9 to 99.6 % (binom.test in R).
    assert "5/6" in html
    assert "35.9 % to 99.6 %" in html


def test_response_is_shown_at_the_visit_where_it_was_judged(inputs: ReportInputs) -> None:
    assert inputs.study is not None
    plan = inputs.study.plan
    unsaid = plan.model_copy(update={"response": plan.response.model_copy(update={"visit": None})})
    study = inputs.study.model_copy(update={"plan": unsaid})
    # As the analysis does: the visit marked primary where the plan names none.
    assert [response_visit(s) for s in (inputs.study, study)] == ["w24", "w08"]


def test_week_24_is_said_to_be_unable_to_show_anything(inputs: ReportInputs, page: Page) -> None:
    shown = page.tables["t-panel-other-visits"]
    late = [
        claim for claim, visit in zip(shown.column("Says"), shown.column("Visit"), strict=True) if visit == "week 24"
    ]
    assert late
    assert set(late) == {"cannot be significant"}


def test_no_p_value_stands_in_the_responders_table(page: Page) -> None:
    heads = page.tables["t-responders"].heads
    assert "p" not in heads
    assert "Smallest p possible" in heads


def test_a_failed_tube_is_named_with_its_reason(html: str) -> None:
    assert "bcell: failed" in html
    assert "no HEADER" in html


def test_the_page_asks_for_nothing_from_elsewhere(page: Page, html: str) -> None:
    assert all(r.startswith(("data:", "#")) for r in page.resources)
    assert all(str(a.get("href")).startswith(("data:", "#")) for a in page.links)
    assert "@import" not in html
    assert "url(http" not in html


def test_ids_are_unique_and_every_inner_link_has_its_target(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    targets = [str(a["href"])[1:] for a in page.links if str(a.get("href")).startswith("#")]
    targets += [r[1:] for r in page.resources if r.startswith("#")]
    assert set(targets) <= set(page.ids)


def test_every_picture_has_words_for_who_cannot_see_it(page: Page) -> None:
    assert page.images_without_text == []


def test_the_same_inputs_give_the_same_bytes(html: str) -> None:
    assert build_report(invented_inputs()) == html


def test_only_the_stamp_differs_between_two_runs(inputs: ReportInputs, html: str) -> None:
    stamped = build_report(
        dataclasses.replace(inputs, run=dataclasses.replace(inputs.run, stamp="2031-01-02T03:04:05Z"))
    )
    different = [b for a, b in zip(html.splitlines(), stamped.splitlines(), strict=True) if a != b]
    assert len(different) == 1
    assert "2031-01-02T03:04:05Z" in different[0]


def test_synthetic_data_are_branded_at_the_head(html: str) -> None:
    assert "Synthetic data." in build_report(invented_inputs(synthetic=True))
    assert "Synthetic data." not in html


def test_files_gated_without_a_study_give_pictures_and_say_what_is_missing() -> None:
    html = build_report(
        ReportInputs("two files", {}, previews=dict(list(invented_previews(invented_study()).items())[:2]))
    )
    assert "gated without a study" in html
    assert 'id="contact-sheet"' in html
    assert 'id="trajectories"' not in html
    assert 'id="answer"' not in html


def test_a_hundred_samples_stay_below_ten_megabytes(inputs: ReportInputs) -> None:
    """100 samples × 12 gates; pictures of 20,000 events, whose PNGs hardly compress."""
    from cytometry.quantification.previews import gate_previews
    from tests.quantification.tubes import gated_tube

    tube = gated_tube(n_events=20_000, seed=1)
    pictures = gate_previews(tube.strategy, tube.reader, tube.membership)
    twelve = (pictures * 4)[:12]
    many = {f"S{i:03d}": twelve for i in range(100)}
    html = build_report(dataclasses.replace(inputs, previews=many))
    assert len(html.encode()) < 10_000_000


@pytest.mark.parametrize(
    "kept",
    [
        ("samples", "counts", "findings"),
        ("comparison", "changes"),
        ("comparison", "correlation", "thresholds"),
        ("sri", "individuals", "outcome", "samples"),
    ],
)
def test_a_run_with_only_some_tables_still_gives_a_report(inputs: ReportInputs, kept: tuple[str, ...]) -> None:
    some = dataclasses.replace(inputs, tables={n: inputs.tables[n] for n in kept}, previews={}, sentences=())
    page = Page(build_report(some))
    assert {"h-design", "h-provenance"} <= set(page.ids)


def test_empty_tables_are_no_tables(inputs: ReportInputs) -> None:
    empty = dataclasses.replace(inputs, tables={n: f.iloc[:0] for n, f in inputs.tables.items()}, previews={})
    page = Page(build_report(empty))
    assert "h-answer" not in page.ids
    assert "h-glance" in page.ids


def test_a_value_that_was_set_on_the_command_line_is_at_the_head_of_the_results(inputs: ReportInputs) -> None:
    assert inputs.study is not None
    study = inputs.study.model_copy(update={"changed": {"plan.alpha": "0.01", "study.title": "<b>"}})
    text = build_report(dataclasses.replace(inputs, study=study))
    assert "Changed on the command line for this run:</strong> plan.alpha = 0.01; study.title = &lt;b&gt;." in text
    assert "Changed on the command line" not in build_report(inputs)
