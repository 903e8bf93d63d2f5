// Forms that say what is wrong with them at the field that is meant, and read it out.
import { el } from "./element.js";
import { Away, Refused, sentence } from "./failures.js";

/** A field with its label: `name`, `label`, and what an input may have. */
export function field({ name, label, hint, ...given }) {
  const id = `field-${name}`;
  const about = [hint && `${id}-hint`, `${id}-wrong`].filter(Boolean).join(" ");
  return el(
    "p",
    { class: "field" },
    el("label", { for: id }, label),
    hint && el("span", { class: "soft small", id: `${id}-hint` }, hint),
    el("input", { id, name, required: true, "aria-describedby": about, ...given }),
    el("span", { class: "wrong-field", id: `${id}-wrong` }),
  );
}

/** A form of fields, and what happens when it is sent: `send` gets the values by name, and may raise Refused or Away. Only one
 * sending is under way at a time. */
export function form({ label, fields, submit, send }) {
  const summary = el("div", { class: "banner bad", role: "alert", hidden: true });
  const button = el("button", { class: "primary", type: "submit" }, submit);
  let sending = false;
  const element = el(
    "form",
    { novalidate: true, "aria-label": label, onsubmit: sent },
    summary,
    ...fields,
    el("p", {}, button),
  );

  async function sent(event) {
    event.preventDefault();
    if (sending) return;
    const inputs = [...element.querySelectorAll("input")];
    const missing = inputs.filter((each) => each.required && !each.value.trim());
    tellFields(Object.fromEntries(missing.map((each) => [each.name, "is missing"])));
    if (missing.length) return tell("Something is missing.", missing[0]);
    sending = true;
    button.setAttribute("aria-disabled", "true");
    try {
      await send(Object.fromEntries(inputs.map((each) => [each.name, each.value])));
    } catch (error) {
      told(error);
    } finally {
      sending = false;
      button.removeAttribute("aria-disabled");
    }
  }

  function told(error) {
    if (error instanceof Refused) {
      const meant = tellFields(error.fields);
      const wait = error.after ? ` You can try again in ${Math.ceil(error.after / 60)} min.` : "";
      tell(`${meant ? "Not everything is as it should be." : sentence(error.message)}${wait}`, meant);
    } else if (error instanceof Away) {
      tell("The shop cannot be reached just now. What you wrote is still here: try again.");
    } else {
      tell("Something went wrong. Try again.");
      console.error(error);
    }
  }

  // Says at each field what is wrong with it, or no more; the first that is wrong.
  function tellFields(wrong) {
    let first = null;
    for (const input of element.querySelectorAll("input")) {
      const why = wrong[input.name];
      const name = element.querySelector(`label[for=${input.id}]`).textContent;
      element.querySelector(`#${input.id}-wrong`).textContent = why ? `${name} ${why}.` : "";
      if (why) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
      if (why) first ??= input;
    }
    return first;
  }

  function tell(words, at = null) {
    summary.textContent = words;
    summary.hidden = false;
    (at ?? button).focus();
  }

  return element;
}
