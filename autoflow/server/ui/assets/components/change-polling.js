// @ts-check
/** Polls the store's change counter, so that a page shows what is new; a hidden page polls nothing. */
import { call } from "../api.js";

const INTERVAL = 3000; // milliseconds
const MAX_INTERVAL = 60_000; // while the server cannot be reached

/**
 * Return the change counter. Read it before the content that `pollChanges` keeps current: a change that happens while
 * the content is loaded is then found by the first poll.
 * @returns {Promise<number>}
 */
export async function changeCounter() {
  return (await call("autoflow.changes", {})).changes;
}

/**
 * Call back whenever the counter changes, one call at a time.
 * @param {object} options
 * @param {number} options.known the counter before the shown content was loaded
 * @param {() => Promise<unknown>} options.onChange resolves to false if it has to be called again for this change
 * @param {(reachable: boolean) => void} [options.onReachable] called when the server is lost, and when it is back
 * @returns {{now: () => void}} polls at once, and calls `onReachable` in any case
 */
export function pollChanges({ known, onChange, onReachable }) {
  let [counter, interval, timer, polling] = [known, INTERVAL, 0, false];
  const poll = async (isAsked = false) => {
    if ((document.hidden && !isAsked) || polling) return;
    clearTimeout(timer);
    polling = true;
    try {
      const changes = await changeCounter();
      const shown = changes === counter || (await onChange()) !== false;
      if (shown) counter = changes;
      if (interval !== INTERVAL || isAsked) onReachable?.(true);
      interval = INTERVAL;
    } catch {
      if (interval === INTERVAL || isAsked) onReachable?.(false);
      interval = Math.min(interval * 2, MAX_INTERVAL);
    }
    polling = false;
    timer = window.setTimeout(() => poll(), interval);
  };
  document.addEventListener("visibilitychange", () => poll());
  timer = window.setTimeout(() => poll(), INTERVAL);
  return { now: () => void poll(true) };
}
