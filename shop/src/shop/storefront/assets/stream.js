// Server-sent events, read by fetch, since EventSource sends no token; and followed, over whatever breaks off between.
import { answered } from "./api.js";
import { Away, Refused } from "./failures.js";

const SILENCE = 40000;
const PAUSES = [500, 1000, 2000, 4000, 8000];

/** The events of a stream of text, as `{id, event, data}`. What has no data is none; comments and `retry` are passed over. */
export async function* events(chunks) {
  let rest = "";
  let event = {};
  for await (const chunk of chunks) {
    rest += chunk;
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data !== undefined) yield { event: "message", ...event };
        event = {};
        continue;
      }
      const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
      if (name === "data" && event.data !== undefined) event.data += `\n${value ?? ""}`;
      else if (name) event[name] = value ?? "";
    }
  }
}

/** Follow a stream from after the event of a number until `heard` says that it was the last, coming again whenever it breaks
 * off. `onState` is told `open` and `lost`. Raises what is no matter of waiting, such as Refused. */
export async function follow(path, { last, heard, onState, signal }) {
  let number = last;
  for (let failures = 0; !signal.aborted;) {
    try {
      const headers = { accept: "text/event-stream", ...(number ? { "last-event-id": String(number) } : {}) };
      const answer = await answered(path, { headers, signal, signed: true });
      if (answer.status === 204) return;
      onState("open");
      for await (const { id, event, data } of events(read(answer, signal))) {
        failures = 0;
        number = Number(id) || number;
        if (heard(Number(id), event, JSON.parse(data))) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status < 500 && error.status !== 429) throw error;
      if (!(error instanceof Away || error instanceof Refused)) throw error;
    }
    onState("lost");
    await paused(PAUSES[Math.min(failures, PAUSES.length - 1)], signal);
    failures += 1;
  }
}

// The texts of an answer. One that is silent for longer than two heart-beats has lost whoever wrote it.
async function* read(answer, signal) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      let timer = null;
      const silent = new Promise((_, fail) => {
        timer = setTimeout(() => fail(new Away("nothing came any more")), SILENCE);
      });
      const { done, value } = await Promise.race([reader.read(), silent]).finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw signal.aborted || error instanceof Away ? error : new Away("it broke off");
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Wait so many milliseconds; less, once the network is back or the wait is given up. */
export function paused(milliseconds, signal) {
  return new Promise((done) => {
    const timer = setTimeout(end, milliseconds);
    function end() {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal?.removeEventListener("abort", end);
      done();
    }
    addEventListener("online", end);
    signal?.addEventListener("abort", end);
  });
}
