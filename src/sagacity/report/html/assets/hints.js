// Details of marks in charts, by pointer or by keyboard: the text that each mark carries for screen readers, in a box.
const box = document.createElement("div");
box.className = "hint";
box.hidden = true;
box.setAttribute("aria-hidden", "true");
document.body.append(box);

function show(mark) {
  box.textContent = mark.dataset.hint;
  box.hidden = false;
  const around = mark.getBoundingClientRect();
  const width = box.offsetWidth;
  const left = Math.min(Math.max(12, around.left + around.width / 2 - width / 2), innerWidth - width - 12);
  const above = around.top - box.offsetHeight - 8;
  box.style.left = `${left + scrollX}px`;
  box.style.top = `${(above > 48 ? above : around.bottom + 8) + scrollY}px`;
}

const hide = () => {
  box.hidden = true;
};
for (const [enter, leave] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
  document.addEventListener(enter, (event) => {
    const mark = event.target.closest?.("[data-hint]");
    if (mark) show(mark);
  });
  document.addEventListener(leave, (event) => {
    if (event.target.closest?.("[data-hint]")) hide();
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
  const mark = event.target.closest?.("[data-hint]");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!mark || !step) return;
  const marks = [...mark.ownerSVGElement.querySelectorAll("[data-hint][tabindex]")];
  const next = marks[marks.indexOf(mark) + step];
  if (!next) return;
  event.preventDefault();
  mark.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});
