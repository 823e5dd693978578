// @ts-check
/** The line above a page that says that the server cannot be reached; it tries again by itself. */
import { call, connection } from "../api.js";
import { element } from "../dom.js";

const INTERVAL = 3000; // milliseconds
const MAX_INTERVAL = 60_000;

/** Show the line while the server cannot be reached. */
export function watchConnection() {
  let [interval, timer] = [INTERVAL, 0];
  const button = element("button", { type: "button" }, "Try now");
  const text = "The server cannot be reached. This page shows what was last loaded, and tries again.";
  const notice = element("p", { class: "notice lost-server", role: "status" }, element("span", {}, text), button);
  const poll = async () => {
    clearTimeout(timer);
    try {
      await call("autoflow.changes", {});
    } catch {
      if (connection.isReachable) return;
      interval = Math.min(interval * 2, MAX_INTERVAL);
      timer = window.setTimeout(poll, interval);
    }
  };
  button.addEventListener("click", () => void poll());
  connection.addEventListener("change", () => {
    clearTimeout(timer);
    interval = INTERVAL;
    if (connection.isReachable) return notice.remove();
    document.getElementById("main")?.before(notice);
    timer = window.setTimeout(poll, interval);
    return undefined;
  });
}
