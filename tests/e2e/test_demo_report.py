"""The shipped study's report against the tables that lie beside it."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cytometry.io.panels import load_panel
from cytometry.reporting.formats import whole
from tests.browser import chromium, visit
from tests.reporting.page import Page

SAMPLES = ("P01_w00_bcell", "P04_w08_treg", "B2_bcell_control")


def table(out: Path, name: str) -> list[dict[str, str]]:
    """Rows of a result table."""
    with (out / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def text(demo_out: Path) -> str:
    return (demo_out / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_confirmatory_table_shows_the_numbers_of_comparison_csv(demo_out: Path, page: Page) -> None:
    rows = [r for r in table(demo_out, "comparison") if r["role"] == "confirmatory"]
    rows.sort(key=lambda r: float(r["plan_order"]))
    shown = page.tables["t-confirmatory"]
    for head, column in (("n", "n"), ("p", "p"), ("Smallest p possible", "p_floor")):
        assert shown.numbers(head) == pytest.approx([float(r[column]) for r in rows], rel=1e-9)
    assert shown.numbers("Ratio to baseline [exact interval]") == pytest.approx([float(r["effect"]) for r in rows])


def test_every_row_of_correlation_and_changes_can_be_downloaded_as_it_was_written(demo_out: Path, page: Page) -> None:
    for name, column in (("changes", "change"), ("individuals", "limit")):
        written, offered = table(demo_out, name), page.csv(name)
        assert [r["subject_id"] for r in offered] == [r["subject_id"] for r in written]
        numbers = [(float(a[column]), float(b[column])) for a, b in zip(offered, written, strict=True) if b[column]]
        assert numbers
        assert [a for a, _ in numbers] == pytest.approx([b for _, b in numbers], rel=1e-9)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_s_tree_shows_every_count(demo_out: Path, page: Page, sample: str) -> None:
    counts = [int(r["count"]) for r in table(demo_out, "counts") if r["sample_id"] == sample]
    assert page.tables[f"tree-{sample}"].numbers("Events") == counts


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_gate_of_a_sample_is_pictured_with_its_count(demo_out: Path, text: str, sample: str) -> None:
    described = html.unescape(" ".join(re.findall(rf'aria-label="({sample}: [^"]*)"', text)))
    panel = load_panel("treg_v1" if sample.endswith("treg") else "bcell_v1")
    labels = {p.name: p.label or p.name for p in panel.strategy.populations}
    rows = [r for r in table(demo_out, "counts") if r["sample_id"] == sample and r["population"] != "root"]
    assert len(rows) > 8
    missing = [r["path"] for r in rows if f"{labels[r['population']]} {whole(int(r['count']))}" not in described]
    assert missing == []


def test_every_picture_says_what_placed_its_boundary(text: str) -> None:
    described = re.findall(r'<svg class="pic"[^>]*aria-label="([^"]*)"', text)
    assert len(described) > 500
    assert all(re.search(r": (data|FMO|control|fallback rule|moved by hand|drawn)", d) for d in described)


def test_the_sentences_the_plan_asks_for_come_first(text: str) -> None:
    answer = text[text.index('<section id="answer"') : text.index('<section id="design"')]
    assert (
        answer.index("Five of six participants") < answer.index("Double negative B") < answer.index("At week 24 five")
    )
    assert answer.index("At week 24 five") < answer.index('id="t-confirmatory"')
    assert "Synthetic data." in text[: text.index('<section id="answer"')]


def test_it_is_one_file_of_a_size_that_can_be_sent(text: str, page: Page) -> None:
    assert len(text.encode()) < 10_000_000
    assert all(r.startswith(("data:", "#")) for r in page.resources)


@pytest.fixture(scope="module")
def opened(demo_out: Path) -> Iterator[list[str]]:
    """Requests and complaints of the report, every part of it opened."""
    with chromium() as browser, visit(browser, demo_out / "report.html") as seen:
        seen.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        seen.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        seen.page.wait_for_timeout(500)
        yield seen.requests + seen.complaints


@pytest.mark.browser
def test_opened_without_a_network_it_asks_for_nothing_and_complains_of_nothing(opened: list[str]) -> None:
    assert opened == []
