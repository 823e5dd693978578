// @ts-check
/** The time scrubber: a slider over the times at which cards appeared, which replays the graph. */
import { drawnIcon, element } from "../dom.js";
import { dateTime } from "../format.js";
import { countUntil } from "./timeline.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */

const PLAY = "M8 5l11 7-11 7z";
const PAUSE = "M8 5v14M16 5v14";
const DURATION = 12_000; // milliseconds of a replay of the whole graph
const STILL_STEPS = 12; // steps of a replay where the person prefers reduced motion

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Make the scrubber, and the button that opens it. Each step of its slider is a time at which cards appeared: nights
 * and holidays take no room.
 * @param {() => GraphView | null} current
 * @param {(time: string, isResting: boolean) => void} onTime called when the graph is shown as of another time, in
 *   ISO 8601, empty for now; resting when it stays there for a while
 */
export function timeScrubber(current, onTime) {
  const toggle = element("button", { type: "button", "aria-expanded": "false" }, "Replay");
  const play = element("button", { type: "button", class: "plain" });
  const range = element("input", { type: "range", min: 0, step: 1, "aria-label": "Time" });
  const text = element("output", {});
  const close = element("button", { type: "button" }, "Show now");
  const bar = element("div", { class: "scrubber", role: "group", "aria-label": "Replay", hidden: true });
  bar.append(play, range, text, close);
  let frame = 0;

  /** @param {string} time in ISO 8601, empty for now */
  const describe = (time) => {
    const graph = current();
    if (!graph) return;
    const cards = `${graph.memberCount.toLocaleString()} of ${graph.timeline.total.toLocaleString()} cards`;
    text.textContent = time ? `As of ${dateTime(time)}: ${cards}` : `Now: ${cards}`;
    range.setAttribute("aria-valuetext", text.textContent);
  };
  /** @param {boolean} isResting */
  const apply = (isResting) => {
    const graph = current();
    if (!graph) return;
    const { steps } = graph.timeline;
    const step = Number(range.value);
    const isNow = step >= steps.length - 1;
    graph.showTime(isNow ? Infinity : (steps[step] ?? 0));
    const time = isNow ? "" : graph.timeline.dateOf(steps[step] ?? 0).toISOString();
    describe(time);
    onTime(time, isResting);
  };
  const showPlaying = () => {
    const label = frame ? "Pause" : "Play";
    play.setAttribute("aria-label", label);
    play.title = label;
    play.replaceChildren(drawnIcon(frame ? PAUSE : PLAY));
  };
  const stop = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    showPlaying();
  };
  const start = () => {
    const last = Number(range.max);
    if (Number(range.value) >= last) range.value = "0";
    const [from, startTime] = [Number(range.value), performance.now()];
    const next = () => {
      let progress = (performance.now() - startTime) / DURATION;
      if (reducedMotion.matches) progress = Math.floor(progress * STILL_STEPS) / STILL_STEPS;
      const step = Math.min(last, from + Math.floor(progress * (last + 1)));
      if (step !== Number(range.value)) {
        range.value = String(step);
        apply(false);
      }
      if (step < last) frame = requestAnimationFrame(next);
      else {
        stop();
        apply(true);
      }
    };
    frame = requestAnimationFrame(next);
    showPlaying();
  };
  /** @param {boolean} isOpen */
  const setOpen = (isOpen) => {
    bar.hidden = !isOpen;
    toggle.setAttribute("aria-expanded", String(isOpen));
  };

  toggle.addEventListener("click", () => {
    setOpen(bar.hidden);
    if (bar.hidden) showNow();
    else range.focus();
  });
  const showNow = () => {
    stop();
    range.value = range.max;
    apply(true);
  };
  close.addEventListener("click", () => {
    showNow();
    setOpen(false);
    toggle.focus();
  });
  play.addEventListener("click", () => {
    if (!frame) return start();
    stop();
    return apply(true);
  });
  range.addEventListener("input", () => {
    stop();
    apply(false);
  });
  range.addEventListener("change", () => apply(true));

  /**
   * Show the current graph as of a time.
   * @param {string} time in ISO 8601, empty for now
   */
  const show = (time) => {
    const graph = current();
    if (!graph) return;
    const { timeline } = graph;
    const until = timeline.secondsOf(time);
    const last = Math.max(0, timeline.steps.length - 1);
    range.max = String(last);
    range.value = String(until === Infinity ? last : Math.max(0, countUntil(timeline.steps, until) - 1));
    graph.showTime(until);
    if (until !== Infinity) setOpen(true);
    toggle.hidden = last < 1;
    if (!bar.hidden) describe(until === Infinity ? "" : time);
  };
  showPlaying();
  return { toggle, element: bar, show };
}
