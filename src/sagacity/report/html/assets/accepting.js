// Accepting a proposal rule by rule: the file below holds what is ticked, and where each rule came from; it can be taken away.
const section = document.getElementById("file");
const boxes = [...document.querySelectorAll("input[data-rule]")];
const lines = [...section.querySelectorAll("code > span")];
const form = section.querySelector("form");
const said = form.querySelector("[data-said]");
const name = form.elements.by;

for (const each of document.querySelectorAll("[data-accepting]")) each.hidden = false;

function day() {
  const now = new Date();
  const two = (value) => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

function draw() {
  const kept = new Set(boxes.filter((box) => box.checked).map((box) => box.dataset.rule));
  const by = name.value.trim();
  for (const line of lines) {
    const of = line.dataset.of;
    const any = (rules) => rules.split(" ").some((rule) => kept.has(rule));
    line.hidden = (of !== undefined && !any(of)) || any(line.dataset.unless ?? "");
    if (line.dataset.origin) {
      const who = by ? `, by: ${JSON.stringify(by)}` : "";
      line.textContent = `${line.dataset.origin.slice(0, -1)}${who}, date: '${day()}'}\n`;
    }
  }
  said.textContent = `${kept.size} of ${boxes.length} rules are accepted`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const shown = lines.filter((line) => !line.hidden).map((line) => line.textContent);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([shown.join("").replace(/^\n+/, "")], { type: "application/yaml" }));
  link.download = form.dataset.name;
  link.click();
  URL.revokeObjectURL(link.href);
});
name.addEventListener("input", draw);
for (const box of boxes) box.addEventListener("change", draw);
draw();
