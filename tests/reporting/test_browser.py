"""The report in a real browser with the network off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cytometry.reporting.inputs import ReportInputs
from cytometry.reporting.report import build_report
from tests.browser import PHONE, Visit, chromium, visit
from tests.reporting.invented import invented_inputs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return invented_inputs(synthetic=True)


@pytest.fixture(scope="module")
def report(inputs: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(build_report(inputs), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Visit]:
    with visit(browser, report) as seen:
        yield seen


def column(page: Page, table: str, head: str) -> list[str]:
    """Texts of the rows that are shown, first line of each cell."""
    return page.evaluate(
        """([id, head]) => {
            const table = document.getElementById(id);
            const at = [...table.tHead.rows[0].cells].findIndex((c) => c.textContent === head);
            const shown = [...table.tBodies[0].rows].filter((r) => r.offsetParent);
            return shown.map((r) => r.cells[at].innerText.split("\\n")[0]);
        }""",
        [table, head],
    )


def test_nothing_is_asked_for_and_nothing_is_complained_about(opened: Visit) -> None:
    opened.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    opened.page.wait_for_timeout(300)
    assert opened.requests == []
    assert opened.complaints == []


def test_a_click_on_a_head_sorts_by_the_exact_number_and_a_second_one_reverses(
    opened: Visit, inputs: ReportInputs
) -> None:
    comparison = inputs.tables["comparison"]
    panel = comparison[(comparison["role"] == "panel") & (comparison["visit"] == "w08")]
    expected = [f"{n}" for n in sorted(panel["effect"])]
    head = opened.page.locator("#t-panel th").filter(has_text="Ratio")
    read = "() => [...document.querySelectorAll('#t-panel tbody tr')].map((r) => r.cells[3].dataset.v)"
    head.get_by_role("button").click()
    assert opened.page.evaluate(read) == expected
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").click()
    assert opened.page.evaluate(read) == expected[::-1]
    assert head.get_attribute("aria-sort") == "descending"


def test_sorting_works_from_the_keyboard(opened: Visit) -> None:
    button = opened.page.locator("#t-panel th").filter(has_text="Population").get_by_role("button")
    button.focus()
    opened.page.keyboard.press("Enter")
    names = column(opened.page, "t-panel", "Population")
    assert names == sorted(names, key=str.lower)


def test_the_first_tab_stop_leads_past_the_navigation(opened: Visit) -> None:
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.getAttribute('href')") == "#content"


def test_a_filter_keeps_the_rows_that_have_every_word(opened: Visit, inputs: ReportInputs) -> None:
    figure = opened.page.locator("figure[data-name='changes']")
    figure.locator("summary").click()
    figure.get_by_role("searchbox").fill("P02 DN2")
    changes = inputs.tables["changes"]
    expected = changes[(changes["subject_id"] == "P02") & (changes["population"] == "dn2")]
    assert column(opened.page, "t-changes", "Participant") == ["P02"] * len(expected)
    assert figure.locator(".count").last.inner_text() == f"{len(expected)} of {len(changes)} rows"


def test_a_download_from_the_local_file_is_the_whole_table(opened: Visit, inputs: ReportInputs) -> None:
    with opened.page.expect_download() as waiting:
        opened.page.locator("a[download='panel.csv']").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    comparison = inputs.tables["comparison"]
    panel = comparison[(comparison["role"] == "panel") & (comparison["visit"] == "w08")]
    assert text.splitlines()[0] == ",".join(comparison.columns)
    assert len(text.splitlines()) == 1 + len(panel)


def test_a_link_into_a_closed_part_opens_it(browser: Browser, report: Path) -> None:
    with visit(browser, report, anchor="#sample-P02_w00") as seen:
        assert seen.page.evaluate("document.getElementById('sample-P02_w00').open") is True


def test_the_contact_sheet_can_be_narrowed_to_a_participant(opened: Visit) -> None:
    opened.page.locator("#contact-sheet select[name='subject']").select_option("P03")
    shown = opened.page.evaluate(
        "[...new Set([...document.querySelectorAll('#contact-sheet .cell[data-subject]')]"
        ".filter((c) => c.offsetParent).map((c) => c.dataset.subject))]"
    )
    assert shown == ["P03"]


def test_pictures_are_repeated_in_the_sample_s_own_tree(browser: Browser, report: Path) -> None:
    with visit(browser, report, anchor="#sample-P02_w00") as seen:
        boxes = seen.page.evaluate(
            "[...document.querySelectorAll('#sample-P02_w00 svg.pic use')].map((u) => u.getBBox().width)"
        )
    assert len(boxes) >= 4
    assert min(boxes) > 0


def test_a_phone_needs_no_sideways_scrolling(browser: Browser, report: Path) -> None:
    with visit(browser, report, size=PHONE) as seen:
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE[0]


def test_paper_has_no_navigation_and_keeps_every_section(opened: Visit) -> None:
    opened.page.emulate_media(media="print")
    assert not opened.page.locator("nav").is_visible()
    assert opened.page.locator("main > section").count() >= 10
    assert opened.page.pdf()[:4] == b"%PDF"


def test_the_page_reads_without_script(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("#t-panel tbody tr").count() == 4
    context.close()
