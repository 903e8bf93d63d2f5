// Who is logged in here. The tokens are kept in this tab alone, in memory and in its sessionStorage, so that they outlive a reload
// and nothing else; a new tab asks the others for them. A refresh token is good once, for all tabs together: one tab at a time
// renews, and looks before whether another has done it.
import { failureOf, Refused, SignedOut } from "./failures.js";
import { reached } from "./reached.js";
import { alone, hear, inquire, tell } from "./tabs.js";

const KEY = "shop-session";
const AUTH = "/api/v1/account/auth";

const changes = new EventTarget();
let held = stored();
let renewing = null;

const ready = held ? Promise.resolve() : inquire().then((found) => found.forEach(take));

hear((message) => {
  if (message.have) take(message.have);
  if (message.left && held?.login === message.left) put(null);
  return held;
});

/** Who is logged in, or null: `login` tells one login from another, `name` is what to call them. */
export const current = () => held && { login: held.login, name: held.name };

/** Call this whenever somebody has logged in or out. */
export const onChange = (heard) => changes.addEventListener("change", heard);

/** Whether somebody is logged in, once that is known. */
export async function known() {
  await ready;
  return held !== null;
}

/** The access token. Raises SignedOut. */
export async function access() {
  await ready;
  if (!held) throw new SignedOut();
  return held.access;
}

/** A token in place of one that was refused. Raises SignedOut where there will be none, and Away. */
export async function renewed(used) {
  if (held && held.access !== used) return held.access;
  renewing ??= alone(() => renew(used)).finally(() => (renewing = null));
  await renewing;
  if (!held) throw new SignedOut();
  return held.access;
}

/** Register, or log in. Raises Refused and Away. */
export async function enter(how, body) {
  const pair = await posted(how, body);
  const login = [...crypto.getRandomValues(new Uint32Array(4))].join("-");
  put({ ...tokens(pair), login, turn: 0, since: Date.now(), name: body.first_name ?? null });
  tell({ have: held });
}

/** Keep what to call who is logged in. */
export function named(login, name) {
  if (held?.login !== login || held.name === name) return;
  put({ ...held, name });
}

/** Log out, in every tab. */
export function leave() {
  if (held) tell({ left: held.login });
  put(null);
}

async function renew(used) {
  if (held?.access !== used) return;
  (await inquire()).forEach(take);
  if (held?.access !== used) return;
  const before = held;
  try {
    const pair = await posted("refresh", { refresh_token: before.refresh });
    put({ ...before, ...tokens(pair), turn: before.turn + 1 });
    tell({ have: held });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (held?.access === used) put(null);
  }
}

async function posted(how, body) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  const given = { method: "POST", headers, body: JSON.stringify(body) };
  return reached(`${AUTH}/${how}`, given, { read: pairOf });
}

// Within the time of the request: all tabs wait for whoever renews.
async function pairOf(answer) {
  if (!answer.ok) throw await failureOf(answer);
  return answer.json();
}

const tokens = (pair) => ({ access: pair.access_token, refresh: pair.refresh_token });

function take(other) {
  if (!other?.access) return;
  const newer = !held || (held.login === other.login ? other.turn > held.turn : other.since > held.since);
  if (newer) put({ ...other, name: other.name ?? (held?.login === other.login ? held.name : null) });
}

function put(next) {
  const before = held;
  held = next;
  try {
    if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
    else sessionStorage.removeItem(KEY);
  } catch {
    // It then lasts as long as the page.
  }
  if (before?.login !== next?.login || before?.name !== next?.name) changes.dispatchEvent(new Event("change"));
}

function stored() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY));
    return found?.access && found?.refresh ? found : null;
  } catch {
    return null;
  }
}
