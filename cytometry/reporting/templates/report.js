"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // Tables: a button in each head sorts; undefined cells stay last either way.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const text = cell.textContent.trim();
    return text === "–" ? null : text;
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };
  const sortBy = (table, column, head) => {
    const descending = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, place) => ({ row, place, value: valueOf(row, column) }));
    rows.sort((a, b) => {
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.place - b.place;
      return (descending ? -1 : 1) * compare(a.value, b.value) || a.place - b.place;
    });
    body.append(...rows.map((r) => r.row));
  };
  for (const table of all("table.data")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = make("button", { type: "button", textContent: head.textContent });
      button.addEventListener("click", () => sortBy(table, column, head));
      head.replaceChildren(button);
      head.setAttribute("aria-sort", "none");
    });
  }

  // Filters: every word has to occur in the row.
  for (const figure of all("figure.table[data-filter]")) {
    const rows = all("tbody tr", figure);
    const count = make("span", { className: "count" });
    const input = make("input", { type: "search", placeholder: "filter rows", ariaLabel: "Filter rows" });
    count.setAttribute("aria-live", "polite");
    const apply = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const keep = words.every((w) => text.includes(w));
        row.classList.toggle("hidden", !keep);
        shown += keep;
      }
      count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    };
    input.addEventListener("input", apply);
    figure.querySelector(".tools").prepend(input, count);
  }

  // Contact sheet: choose gate, subject and visit; flagged pictures only.
  const sheet = document.getElementById("contact-sheet");
  const tools = sheet && sheet.querySelector(".sheet-tools");
  if (tools) {
    const cells = all(".cell[data-subject]", sheet);
    const chooser = (label, key, values) => {
      if (values.length < 2) return { value: "" };
      const select = make("select", { name: key }, make("option", { value: "", textContent: "all" }));
      for (const v of values) select.append(make("option", { value: v, textContent: v }));
      tools.append(make("label", {}, label + " ", select));
      select.addEventListener("change", filter);
      return select;
    };
    const distinct = (key) => [...new Set(cells.map((c) => c.dataset[key]))].filter(Boolean);
    const subject = chooser("Participant", "subject", distinct("subject"));
    const visit = chooser("Visit", "visit", distinct("visit"));
    const odd = make("input", { type: "checkbox" });
    odd.addEventListener("change", filter);
    tools.append(make("label", {}, odd, " only flagged"));
    for (const [text, open] of [["Open all gates", true], ["Close all gates", false]]) {
      const button = make("button", { type: "button", textContent: text });
      button.addEventListener("click", () => all("details.gate", sheet).forEach((d) => (d.open = open)));
      tools.append(button);
    }
    function filter() {
      const narrowed = Boolean(subject.value || visit.value || odd.checked);
      for (const cell of cells) {
        const keep = (!subject.value || cell.dataset.subject === subject.value)
          && (!visit.value || cell.dataset.visit === visit.value)
          && (!odd.checked || cell.classList.contains("odd"));
        cell.classList.toggle("hidden", !keep);
      }
      for (const gap of all(".cell.none, .colhead", sheet)) gap.classList.toggle("hidden", narrowed);
    }
  }

  // A link into a closed part opens it.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  // Where the reader is.
  const links = new Map(all("nav a").map((a) => [a.hash.slice(1), a]));
  if ("IntersectionObserver" in window) {
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute("aria-current");
        links.get(entry.target.id)?.setAttribute("aria-current", "true");
      }
    }, { rootMargin: "-10% 0px -80% 0px" });
    for (const section of all("main > section")) seen.observe(section);
  }

  // Paper shows what the reader had open, and every table.
  addEventListener("beforeprint", () => all("figure.table details").forEach((d) => (d.open = d.open || d.closest("#answer, #design") !== null)));
})();
