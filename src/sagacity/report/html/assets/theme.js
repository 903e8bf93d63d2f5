// Light, dark, or as the system has it. Runs before the page is drawn, so that it never flashes in the wrong colours.
(() => {
  const names = { auto: "Automatic colours", light: "Light colours", dark: "Dark colours" };
  const order = ["auto", "light", "dark"];
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("sagacity-theme") || "auto";
  } catch {
    // Some browsers keep no storage for files: the choice then lasts as long as the page.
  }
  if (!order.includes(chosen)) chosen = "auto";
  const apply = () => {
    if (chosen === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    const button = document.getElementById("theme");
    if (button) button.textContent = names[chosen];
  };
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      chosen = order[(order.indexOf(chosen) + 1) % order.length];
      try {
        localStorage.setItem("sagacity-theme", chosen);
      } catch {
        // See above.
      }
      apply();
    });
    apply();
  });
})();
