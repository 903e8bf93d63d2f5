// Filters the table of event types: by words, and by what is amiss. Without this script all of it is shown.
const section = document.getElementById("types");
const form = section.querySelector("form");
const rows = [...section.querySelectorAll("tbody tr")];
const said = section.querySelector("[data-said]");

function draw() {
  const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const gap = form.elements.gap.value;
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    const kept = words.every((word) => text.includes(word)) && (!gap || row.dataset.gaps.split("|").includes(gap));
    row.hidden = !kept;
    shown += kept;
  }
  const number = (value) => value.toLocaleString("en");
  said.textContent = shown === rows.length ? `${number(shown)} event types` : `${number(shown)} of ${number(rows.length)} event types`;
}

form.hidden = false;
form.addEventListener("input", draw);
form.addEventListener("submit", (event) => event.preventDefault());
form.querySelector("[data-clear]").addEventListener("click", () => {
  form.reset();
  draw();
});
// A link to an event type leads to it also where the filter hides it.
addEventListener("hashchange", () => {
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (row?.hidden) {
    form.reset();
    draw();
    row.scrollIntoView();
  }
});
draw();
