// Logging in, and opening an account.
import { el } from "./element.js";
import { field, form } from "./form.js";
import { back, to } from "./route.js";
import { enter, known } from "./session.js";

const EMAIL = {
  name: "email",
  label: "E-mail address",
  type: "email",
  autocomplete: "username",
  inputmode: "email",
  maxlength: 254,
};

function entry({ title, how, fields, submit, other }, { query, go, signal }) {
  const then = back(query.get("then"));
  const why = query.get("why");
  const send = async (values) => {
    await enter(how, values);
    if (!signal.aborted) go(then);
  };
  const node = el(
    "div",
    { class: "narrow" },
    el("h1", { tabindex: -1 }, title),
    why === "ended" &&
      el("p", { class: "banner open" }, "You have been away for a while, so you were logged out. Log in to go on."),
    why === "buy" && el("p", { class: "soft" }, "To buy, and to see your orders."),
    el("div", { class: "card" }, form({ label: title, fields: fields.map(field), submit, send })),
    el("p", {}, other.before, " ", el("a", { href: to(other.parts, { then: query.get("then") }) }, other.link)),
  );
  return { title, node };
}

/** The view where one logs in. */
export async function login(here) {
  if (await known()) return { redirect: back(here.query.get("then")) };
  const password = {
    name: "password",
    label: "Password",
    type: "password",
    autocomplete: "current-password",
    maxlength: 128,
  };
  const other = { before: "New here?", link: "Open an account", parts: ["register"] };
  return entry({ title: "Log in", how: "login", fields: [EMAIL, password], submit: "Log in", other }, here);
}

/** The view where one opens an account. */
export async function register(here) {
  if (await known()) return { redirect: back(here.query.get("then")) };
  const fields = [
    { name: "first_name", label: "First name", autocomplete: "given-name", maxlength: 100 },
    { name: "last_name", label: "Last name", autocomplete: "family-name", maxlength: 100 },
    EMAIL,
    {
      name: "password",
      label: "Password",
      type: "password",
      autocomplete: "new-password",
      maxlength: 128,
      hint: "8 characters or more",
    },
    { name: "address", label: "Address", autocomplete: "street-address", maxlength: 300, hint: "where your goods go" },
    {
      name: "phone_number",
      label: "Telephone number",
      type: "tel",
      autocomplete: "tel",
      maxlength: 32,
      hint: "such as +44 20 7946 0000",
    },
  ];
  const other = { before: "Have you been here before?", link: "Log in", parts: ["login"] };
  return entry({ title: "Open an account", how: "register", fields, submit: "Open the account", other }, here);
}
