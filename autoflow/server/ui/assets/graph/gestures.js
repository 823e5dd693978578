// @ts-check
/** Moves the camera by wheel, trackpad, dragging and pinching. */

const LINE_HEIGHT = 20; // pixels of a line of a wheel event
const SELECTABLE = ".node.selected :is(.name, .about, time)";
const CLICK_SLACK = 4; // pixels that the pointer may move during a click

/** @typedef {import("./camera.js").Camera} Camera */

/**
 * Let the pointer move the camera.
 * @param {HTMLElement} stage
 * @param {Camera} camera
 */
export function handleGestures(stage, camera) {
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let dragged = 0;

  /** @param {{clientX: number, clientY: number}} event @returns {[number, number]} */
  const stagePoint = (event) => {
    const frame = stage.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };

  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_HEIGHT : 1;
      const [right, down] = [event.deltaX * unit, event.deltaY * unit];
      // two fingers on a trackpad pan; its pinch, sent with ctrl, and the notches of a wheel zoom
      const notches = event.deltaX === 0 && (event.deltaMode !== 0 || Math.abs(event.deltaY) >= 50);
      if (event.shiftKey) camera.pan(right || down, 0);
      else if (event.ctrlKey || event.metaKey) camera.zoom(Math.exp(-down / 120), ...stagePoint(event));
      else if (notches) camera.zoom(Math.exp(-down / 480), ...stagePoint(event));
      else camera.pan(right, down);
    },
    { passive: false },
  );

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (event.target instanceof Element && event.target.closest("a, button, input, select")) return;
    // a mouse on the texts of the selected card selects them
    if (event.pointerType === "mouse" && event.target instanceof Element && event.target.closest(SELECTABLE)) {
      dragged = 0;
      return;
    }
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    dragged = fingers.size > 1 ? CLICK_SLACK + 1 : 0;
  });

  addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    dragged += Math.hypot(now.x - before.x, now.y - before.y);
    if (dragged <= CLICK_SLACK) return;
    stage.classList.add("dragging");
    const [other] = others;
    // the centre of two fingers moves half as far as the finger that moved
    const divisor = other ? 2 : 1;
    camera.pan((before.x - now.x) / divisor, (before.y - now.y) / divisor);
    if (other) {
      const distance = (/** @type {{x: number, y: number}} */ point) =>
        Math.hypot(point.x - other.x, point.y - other.y);
      const centre = { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 };
      camera.zoom(distance(now) / Math.max(distance(before), 1), ...stagePoint(centre));
    }
    fingers.set(event.pointerId, now);
  });

  const release = (/** @type {PointerEvent} */ event) => {
    fingers.delete(event.pointerId);
    if (!fingers.size) stage.classList.remove("dragging");
  };
  addEventListener("pointerup", release);
  addEventListener("pointercancel", release);
  // the click event at the end of a drag is not a click
  stage.addEventListener("click", (event) => dragged > CLICK_SLACK && event.stopImmediatePropagation(), {
    capture: true,
  });
  stage.addEventListener("dragstart", (event) => event.preventDefault());
}
