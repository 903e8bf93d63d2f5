// What is said to those who do not see the page: each sentence by itself, none of them over another.

const SENTENCES = 20;

/** Have a screen reader say a sentence when it has time. */
export function say(sentence) {
  const log = document.getElementById("said");
  const line = document.createElement("p");
  line.textContent = sentence;
  log.append(line);
  while (log.childElementCount > SENTENCES) log.firstElementChild.remove();
}
