// Money as people write it, of minor units and an ISO 4217 currency; and times and counts.

const formats = new Map();

function formatOf(currency) {
  if (!formats.has(currency)) formats.set(currency, new Intl.NumberFormat(undefined, { style: "currency", currency }));
  return formats.get(currency);
}

/** So many minor units: 450 and USD is $4.50, 450 and JPY is ¥450. */
export function money(minor, currency) {
  const format = formatOf(currency);
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}

/** A text that services wrote, with its amounts as people write them. */
export const readable = (text) =>
  text.replace(/(\d+) ([A-Z]{3}) \(minor units\)/g, (_, minor, currency) => money(Number(minor), currency));

const counts = new Intl.NumberFormat();
export const count = (number) => counts.format(number);
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
/** A day and its time, where the reader is. */
export const when = (iso) => days.format(new Date(iso));

/** Microseconds since 1970, of a time as the API writes it; a Date knows only thousands of them. */
export const microseconds = (iso) =>
  Date.parse(iso) * 1000 + Number((/\.\d{3}(\d{1,3})/.exec(iso)?.[1] ?? "").padEnd(3, "0"));

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
/** A time of the day, where the reader is, of microseconds since 1970. */
export const clockTime = (us) => clock.format(new Date(us / 1000));
