// What can come of a request besides its answer.

/** The shop said no: its status, its words, what is wrong by field, and after how many seconds it may be asked again. */
export class Refused extends Error {
  constructor(status, said, fields = {}, after = 0) {
    super(said);
    this.status = status;
    this.fields = fields;
    this.after = after;
  }
}

/** There was no answer of the shop's, or it cannot answer now. Whether a request was done is not known. */
export class Away extends Error {}

/** Nobody is logged in here, or not any more. */
export class SignedOut extends Error {}

/** What an answer that is no success stands for. Whoever stands between may answer, too, but not in the shop's words. */
export async function failureOf(answer) {
  let body = null;
  try {
    body = await answer.json();
  } catch {
    return new Away(`status ${answer.status}`);
  }
  if (typeof body?.error !== "string" || [502, 503, 504].includes(answer.status)) return new Away(body?.error ?? "");
  return new Refused(answer.status, body.error, body.fields ?? {}, Number(answer.headers.get("Retry-After")) || 0);
}

/** Words as a sentence. */
export const sentence = (words) => {
  const text = String(words).trim();
  return text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "";
};
