"""A headless Chromium for tests: offline, and every request, console message and script error kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK = (1280, 900)
PHONE = (390, 844)


@dataclass
class Visit:
    """An open page and what it did that nobody asked for."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser.

    Raises
    ------
    AssertionError
        Chromium is not installed: these tests fail then, they are not skipped.
    """
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program is not None, "Chromium is not installed: install it, or leave out `make test-browser`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, file: Path, size: tuple[int, int] = DESK, anchor: str = "") -> Iterator[Visit]:
    """The file in a fresh window of that size, with the network off."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True, accept_downloads=True)
    page = context.new_page()
    seen = Visit(page)
    address = file.as_uri()
    page.on("request", lambda r: seen.requests.append(r.url) if not r.url.startswith((address, "data:")) else None)
    page.on("console", lambda m: seen.complaints.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda e: seen.complaints.append(str(e)))
    try:
        page.goto(address + anchor)
        yield seen
    finally:
        context.close()
