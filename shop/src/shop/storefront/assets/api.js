// The shop's API, at the page's own origin.
import { Away, failureOf, Refused } from "./failures.js";
import { reached } from "./reached.js";
import { access, renewed } from "./session.js";

const BASE = "/api/v1";

/** What a path answers: the answer of `fetch`, where that is a success. Raises Refused, Away or SignedOut.
 *
 * `signed`: in the name of who is logged in; a token that has run out is renewed, and the request made again. `within`: the
 * milliseconds that the head of an answer may take. */
export async function answered(path, { method = "GET", body, headers = {}, signal, signed = false, within } = {}) {
  for (let token = signed ? await access() : null, renewals = 0; ; renewals += 1) {
    const sent = { accept: "application/json", ...headers };
    if (token) sent.authorization = `Bearer ${token}`;
    if (body !== undefined) sent["content-type"] = "application/json";
    const answer = await reached(BASE + path, { method, headers: sent, body: JSON.stringify(body), signal }, { within });
    if (answer.ok) return answer;
    const failure = await failureOf(answer);
    if (!(signed && failure instanceof Refused && failure.status === 401 && renewals < 2)) throw failure;
    token = await renewed(token);
  }
}

/** The same, as what its JSON says; null where there is none. */
export async function asked(path, options) {
  const answer = await answered(path, options);
  try {
    return answer.status === 204 ? null : await answer.json();
  } catch (error) {
    throw options?.signal?.aborted ? error : new Away("the answer broke off");
  }
}
