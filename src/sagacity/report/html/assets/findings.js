// The table of findings: filters, sorting and pages over the rows that the page carries as JSON.
const { columns, rows } = JSON.parse(document.getElementById("findings-data").textContent);
const place = Object.fromEntries(columns.map((name, index) => [name, index]));
const section = document.getElementById("findings");
const form = section.querySelector("form");
const body = section.querySelector("tbody");
const said = section.querySelector("[data-said]");
const [back, forth] = section.querySelectorAll("[data-turn]");
const ranks = { critical: 0, error: 1, warning: 2, info: 3 };
const size = 25;
const state = { page: 0, by: null, down: false };
const haystacks = rows.map((row) => row.filter((value) => typeof value === "string").join("\n").toLowerCase());
const compare = new Intl.Collator(undefined, { numeric: true }).compare;

const keys = {
  severity: (a, b) => ranks[a[place.severity]] - ranks[b[place.severity]],
  since: (a, b) => (a[place.order] ?? 0) - (b[place.order] ?? 0),
};
const by = (name) => keys[name] ?? ((a, b) => compare(a[place[name]] ?? "", b[place[name]] ?? ""));

function chosen() {
  const wanted = new FormData(form);
  const words = wanted.get("text").toLowerCase().split(/\s+/).filter(Boolean);
  const picks = ["kind", "severity", "owner", "expectation"].map((name) => [place[name], wanted.get(name)]).filter(([, value]) => value);
  const kept = [];
  rows.forEach((row, index) => {
    if (picks.every(([column, value]) => (row[column] ?? "nobody") === value) && words.every((word) => haystacks[index].includes(word))) kept.push(row);
  });
  if (state.by) kept.sort((a, b) => (state.down ? -1 : 1) * by(state.by)(a, b));
  return kept;
}

function cell(name, value, className) {
  const element = document.createElement("td");
  element.dataset.label = name;
  const inner = document.createElement(className === "mono" ? "bdi" : "span");
  inner.textContent = value ?? "";
  inner.className = className ?? "";
  // A message is an English sentence, whatever the names in it are.
  inner.dir = className === "say" ? "ltr" : "auto";
  element.append(inner);
  return element;
}

function draw() {
  const kept = chosen();
  const pages = Math.max(1, Math.ceil(kept.length / size));
  state.page = Math.min(state.page, pages - 1);
  const shown = kept.slice(state.page * size, (state.page + 1) * size);
  body.replaceChildren(
    ...shown.map((row) => {
      const line = document.createElement("tr");
      const at = (name) => row[place[name]];
      line.append(
        cell("Severity", at("severity"), `sev ${at("severity")}`),
        cell("Case", at("case"), "mono"),
        cell("Kind", at("kind").replaceAll("_", " "), `kind k-${at("kind")}`),
        cell("Finding", at("message"), "say"),
        cell("Since", at("since"), ""),
        cell("Expectation", at("expectation"), ""),
        cell("Owner", at("owner") ?? "nobody", ""),
      );
      return line;
    }),
  );
  if (!shown.length) {
    const line = document.createElement("tr");
    const only = document.createElement("td");
    only.colSpan = 7;
    only.className = "soft";
    only.textContent = "No finding matches these filters.";
    line.append(only);
    body.append(line);
  }
  const number = (value) => value.toLocaleString("en");
  const range = shown.length ? `${number(state.page * size + 1)} to ${number(state.page * size + shown.length)} of ` : "";
  said.textContent = `${range}${number(kept.length)} ${kept.length === rows.length ? "listed" : `matching, out of ${number(rows.length)} listed`}`;
  back.disabled = state.page === 0;
  forth.disabled = state.page >= pages - 1;
  for (const head of section.querySelectorAll("th[data-by]")) {
    head.setAttribute("aria-sort", head.dataset.by !== state.by ? "none" : state.down ? "descending" : "ascending");
  }
}

form.addEventListener("input", () => {
  state.page = 0;
  draw();
});
form.addEventListener("submit", (event) => event.preventDefault());
form.querySelector("[data-clear]").addEventListener("click", () => {
  form.reset();
  state.page = 0;
  draw();
});
back.addEventListener("click", () => {
  state.page -= 1;
  draw();
});
forth.addEventListener("click", () => {
  state.page += 1;
  draw();
});
for (const head of section.querySelectorAll("th[data-by]")) {
  head.querySelector("button").addEventListener("click", () => {
    const name = head.dataset.by;
    if (state.by !== name) Object.assign(state, { by: name, down: false });
    else if (!state.down) state.down = true;
    else Object.assign(state, { by: null, down: false });
    state.page = 0;
    draw();
  });
}
for (const button of document.querySelectorAll("button[data-expectation]")) {
  button.addEventListener("click", () => {
    form.reset();
    form.elements.expectation.value = button.dataset.expectation;
    state.page = 0;
    draw();
    section.scrollIntoView();
    section.querySelector("h2").focus({ preventScroll: true });
  });
}
draw();
