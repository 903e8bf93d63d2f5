// Runs before the page is drawn: colours as they were chosen, so that it never flashes in the wrong ones. And should a file of
// the page be of another version than the page, as happens for a moment while the shop is renewed, the page is read anew.
(() => {
  const names = { auto: "Automatic colours", light: "Light colours", dark: "Dark colours" };
  const order = Object.keys(names);
  const kept = (storage, name, value) => {
    try {
      if (value === undefined) return storage().getItem(name);
      storage().setItem(name, value);
    } catch {
      // Some browsers keep nothing: the choice then lasts as long as the page.
    }
    return null;
  };
  let chosen = kept(() => localStorage, "shop-theme") ?? "auto";
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
    button.hidden = false;
    button.addEventListener("click", () => {
      chosen = order[(order.indexOf(chosen) + 1) % order.length];
      kept(() => localStorage, "shop-theme", chosen);
      apply();
    });
    apply();
  });
  let renewing = false;
  addEventListener(
    "error",
    (event) => {
      if (renewing || !["SCRIPT", "LINK"].includes(event.target.tagName)) return;
      const times = Number(kept(() => sessionStorage, "shop-renewed") ?? 0);
      if (times >= 5) return;
      renewing = true;
      kept(() => sessionStorage, "shop-renewed", String(times + 1));
      setTimeout(() => location.reload(), 1000 * (times + 1));
    },
    true,
  );
  addEventListener("load", () => renewing || kept(() => sessionStorage, "shop-renewed", "0"));
})();
