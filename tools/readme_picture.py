"""Make the README's picture from a report: ``python tools/readme_picture.py out/report.html docs/images/report.png``.

The picture is the report itself, opened in headless Chromium without a network, cut to the
sentences and the confirmatory table of the answer, the first three courses, and the quadrants
of two participants. Needs Chromium and the ``test`` extra.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser import chromium

WIDTH = 1180
# Sharp on dense screens without a second megabyte.
PIXELS = 1.5
COLOURS = 192

KEEP = """
() => {
  const remove = (selector) => document.querySelectorAll(selector).forEach((e) => e.remove());
  const keepOnly = (root, kept) => {
    for (const child of [...root.children]) {
      if (!kept.some((k) => child === k || child.contains(k))) child.remove();
      else if (!kept.includes(child)) keepOnly(child, kept);
    }
  };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const quadrants = all('details.gate').find((d) => d.textContent.includes('Unswitched memory'));
  const rows = quadrants ? all(`#${quadrants.id} .rows:first-of-type .cell`).slice(0, 8) : [];
  const head = quadrants ? [quadrants.querySelector('summary'), quadrants.querySelector('.key')] : [];
  keepOnly(document.querySelector('main'), [
    ...all('main > header, #h-answer, #answer > ul.lead, #answer > dl.facts, figure[data-name="confirmatory"]'),
    ...all('#h-trajectories'), ...all('.figs > figure[id^="course-"]').slice(0, 3),
    ...all('#h-contact-sheet'), ...head, ...rows,
  ]);
  remove('nav, .tools, .skip, #trajectories ul.visits');
  document.body.style.display = 'block';
  document.querySelectorAll('.rows').forEach((r) => (r.style.contentVisibility = 'visible'));
}
"""


def main() -> None:
    """Read the arguments, take the picture, say its size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    png = take(arguments.report)
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    arguments.picture.write_bytes(png)
    print(f"{arguments.picture}: {len(png) / 1000:.0f} kB")


def take(report: Path) -> bytes:
    """PNG of the chosen parts, with a palette of few colours."""
    from PIL import Image

    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": WIDTH, "height": 900}, device_scale_factor=PIXELS, offline=True
        )
        page = context.new_page()
        page.goto(report.resolve().as_uri())
        page.evaluate(KEEP)
        page.wait_for_timeout(300)
        shot = page.screenshot(full_page=True)
    small = Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    small.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
