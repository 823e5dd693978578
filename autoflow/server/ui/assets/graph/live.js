// @ts-check
/** Asks whether anything changed, while somebody looks. */
import { call } from "../api.js";

const PAUSE = 3000; // milliseconds
const LONGEST = 60_000; // while the server cannot be reached

/**
 * Calls back when the count of changes is another; a page nobody sees asks nothing.
 * @param {number} known the count when what is shown was asked for
 * @param {() => Promise<boolean>} changed whether it has shown it; if not, it is called back again
 * @param {(reached: boolean) => void} reached told when the server is lost or found again
 */
export function live(known, changed, reached) {
  let [seen, pause, timer] = [known, PAUSE, 0];
  const ask = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const { changes } = await call("autoflow.changes");
      if (changes !== seen && (await changed())) seen = changes;
      if (pause !== PAUSE) reached(true);
      pause = PAUSE;
    } catch {
      if (pause === PAUSE) reached(false);
      pause = Math.min(pause * 2, LONGEST);
    }
    timer = window.setTimeout(ask, pause);
  };
  document.addEventListener("visibilitychange", ask);
  timer = window.setTimeout(ask, PAUSE);
}
