"use strict";
// What a page cannot do by itself: sort and search the labels, switch the colours, show tips at once.

function sortAndSearch() {
  const table = document.getElementById("label-table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const search = document.getElementById("search");
  const outcome = document.getElementById("outcome");
  const shown = document.getElementById("shown");
  const names = new Intl.Collator("en", { numeric: true });

  // A row without a value comes last, whichever way the others go.
  function compare(column, sign) {
    if (column === 0) {
      return (a, b) => sign * names.compare(a.cells[0].textContent, b.cells[0].textContent);
    }
    return (a, b) => {
      const [x, y] = [a.cells[column].dataset.value, b.cells[column].dataset.value];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      return sign * (x - y);
    };
  }

  heads.forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => {
      // Names begin with A, numbers with the largest.
      const first = column === 0 ? "ascending" : "descending";
      const turned = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? turned : first;
      heads.forEach((other) => other.setAttribute("aria-sort", other === head ? order : "none"));
      body.append(...rows.sort(compare(column, order === "ascending" ? 1 : -1)));
    });
  });

  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const found = new Map(rows.map((row) => [row, plain(row.dataset.find)]));
  const grouped = new Intl.NumberFormat("en");

  function filter() {
    const words = plain(search.value).split(/\s+/);
    const wanted = outcome ? outcome.value : "";
    let left = 0;
    for (const row of rows) {
      const fits =
        words.every((word) => found.get(row).includes(word)) &&
        (!wanted || (row.dataset.outcome || "").split(" ").includes(wanted));
      row.hidden = !fits;
      left += fits;
    }
    const all = grouped.format(rows.length);
    shown.value = left === rows.length ? `${all} labels` : `${grouped.format(left)} of ${all} labels`;
  }
  search.addEventListener("input", filter);
  if (outcome) outcome.addEventListener("change", filter);
  filter();

  const details = document.getElementById("details");
  const show = () => table.classList.toggle("brief", !details.checked);
  details.addEventListener("change", show);
  show();
}

function switchColours() {
  const buttons = [...document.querySelectorAll("[data-show]")];
  const sunbursts = document.querySelector(".sunbursts");
  function show(what) {
    sunbursts.dataset.shown = what;
    buttons.forEach((button) => button.setAttribute("aria-pressed", button.dataset.show === what));
  }
  buttons.forEach((button) => button.addEventListener("click", () => show(button.dataset.show)));
  if (buttons.length) show("ap");
}

function showTips() {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  // The browser's own tip comes late and small: a mark's title becomes its label for screen readers.
  for (const title of document.querySelectorAll(".plot svg :not(svg) > title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.parentNode.setAttribute("aria-label", title.textContent);
    title.remove();
  }
  function follow(event) {
    const mark = event.target.closest?.("[data-tip]");
    tip.hidden = !mark;
    if (!mark) return;
    tip.textContent = mark.dataset.tip;
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.max(8, Math.min(event.clientX + 14, innerWidth - width - 8));
    const above = event.clientY + 18 + height > innerHeight;
    tip.style.left = `${left}px`;
    tip.style.top = `${Math.max(8, above ? event.clientY - height - 12 : event.clientY + 18)}px`;
  }
  document.addEventListener("pointermove", follow);
  document.addEventListener("pointerdown", follow);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
}

// What is closed on the screen is open on paper.
function openForPrint() {
  const closed = () => [...document.querySelectorAll("details:not([open])")];
  let opened = [];
  addEventListener("beforeprint", () => { opened = closed(); opened.forEach((one) => { one.open = true; }); });
  addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
}

document.documentElement.classList.add("with-script");
sortAndSearch();
switchColours();
showTips();
openForPrint();
