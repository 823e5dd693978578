// @ts-check
/** What is shown keeps up: the store's change counter is asked for now and then, only while the page is seen. */
import { call } from "../api.js";

const EVERY = 3000; // milliseconds
const SLOWEST = 30_000;

/**
 * Calls back whenever the store changed, one call at a time.
 * @param {() => Promise<unknown>} changed
 * @returns {() => void} ends it
 */
export function follow(changed) {
  let known = /** @type {number | null} */ (null);
  let wait = EVERY;
  let timer = 0;
  const next = () => {
    clearTimeout(timer);
    timer = setTimeout(look, wait);
  };
  const look = async () => {
    if (document.hidden) return;
    try {
      const { changes } = await call("autoflow.changes");
      if (known !== null && changes !== known) await changed();
      known = changes;
      wait = EVERY;
    } catch {
      wait = Math.min(wait * 2, SLOWEST); // the server is gone for now: what is shown stays
    }
    next();
  };
  const seen = () => !document.hidden && look();
  document.addEventListener("visibilitychange", seen);
  look();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  };
}
