// Small comforts of the workflow's editor and the first page: from a problem to its line, copying the line that sends.
const area = document.getElementById("yaml");

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("[data-line]");
  if (link && area) {
    event.preventDefault();
    const lines = area.value.split("\n");
    const line = Number(link.dataset.line) - 1;
    const start = lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0);
    area.closest("details")?.setAttribute("open", "");
    area.focus();
    area.setSelectionRange(start, start + (lines[line]?.length ?? 0));
    area.scrollTop = Math.max(0, (line - 4) * (area.scrollHeight / lines.length));
    area.scrollIntoView({ block: "center" });
  }
  const copy = event.target.closest?.("[data-copy]");
  if (copy) {
    const text = document.getElementById(copy.dataset.copy)?.textContent ?? "";
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      getSelection()?.selectAllChildren(document.getElementById(copy.dataset.copy));
      copy.textContent = "Selected";
    }
  }
});
for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;

// Tab would leave the text, and stays what it is; an unsaved text is not lost by accident.
let changed = false;
area?.addEventListener("input", () => (changed = true));
area?.form.addEventListener("submit", () => (changed = false));
addEventListener("beforeunload", (event) => {
  if (changed) event.preventDefault();
});
