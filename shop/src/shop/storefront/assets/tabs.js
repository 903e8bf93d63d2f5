// The tabs of one browser that show the shop: what one of them has, the others can be told, and asked for.

const NAME = "shop-session";
const PATIENCE = 3000;
const WITHOUT_LOCKS = 250;

const channel = new BroadcastChannel(NAME);
const locks = navigator.locks ?? null;
const here = locks
  ? new Promise((granted) => {
      locks.request(`${NAME}-tab`, { mode: "shared" }, () => new Promise(() => granted())).catch(() => granted());
    })
  : Promise.resolve();

/** Tell all other tabs. */
export const tell = (message) => channel.postMessage(message);

/** Hear what others tell; of a question (`{ask}`), what is returned is the answer to it. */
export function hear(heard) {
  channel.addEventListener("message", ({ data }) => {
    const answer = heard(data);
    if (data.ask) channel.postMessage({ to: data.ask, answer });
  });
}

/** Ask all other tabs, and wait until each has answered; one that is frozen is not waited for longer than a few seconds. */
export async function inquire() {
  const others = await otherTabs();
  if (others === 0) return [];
  const question = crypto.getRandomValues(new Uint32Array(2)).join("-");
  const answers = [];
  await new Promise((enough) => {
    const timer = setTimeout(enough, others === null ? WITHOUT_LOCKS : PATIENCE);
    const taken = ({ data }) => {
      if (data.to !== question) return;
      answers.push(data.answer);
      if (answers.length !== others) return;
      clearTimeout(timer);
      channel.removeEventListener("message", taken);
      enough();
    };
    channel.addEventListener("message", taken);
    tell({ ask: question });
  });
  return answers;
}

/** Do something while no other tab does it. */
export const alone = (work) => (locks ? locks.request(`${NAME}-renewal`, work) : work());

// Every tab holds a lock for as long as it lives, so they can be counted; null where there are no locks.
async function otherTabs() {
  if (!locks) return null;
  await here;
  const { held } = await locks.query();
  return held.filter((each) => each.name === `${NAME}-tab`).length - 1;
}
