// @ts-check
/** How hands move the camera: wheel and trackpad, dragging, pinching. */

const LINE = 20; // pixels of a wheel's line
const SLACK = 4; // pixels a click may slip

/** @typedef {import("./camera.js").Camera} Camera */

/**
 * Makes the stage movable.
 * @param {HTMLElement} stage
 * @param {Camera} camera
 */
export function gestures(stage, camera) {
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let slipped = 0;

  /** @param {{clientX: number, clientY: number}} event @returns {[number, number]} */
  const place = (event) => {
    const frame = stage.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };

  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
      const [right, down] = [event.deltaX * unit, event.deltaY * unit];
      // a trackpad's two fingers move, its pinch (told with ctrl) and a wheel's notches zoom
      const notches = event.deltaX === 0 && (event.deltaMode !== 0 || Math.abs(event.deltaY) >= 50);
      if (event.shiftKey) camera.pan(right || down, 0);
      else if (event.ctrlKey || event.metaKey) camera.zoom(Math.exp(-down / 120), ...place(event));
      else if (notches) camera.zoom(Math.exp(-down / 480), ...place(event));
      else camera.pan(right, down);
    },
    { passive: false },
  );

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (event.target instanceof Element && event.target.closest("a, button, input, select")) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    slipped = fingers.size > 1 ? SLACK + 1 : 0;
  });

  addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    slipped += Math.hypot(now.x - before.x, now.y - before.y);
    if (slipped <= SLACK) return;
    stage.classList.add("held");
    const [other] = others;
    // the middle between two fingers moves half as far as one of them, and what was under it stays so
    const share = other ? 2 : 1;
    camera.pan((before.x - now.x) / share, (before.y - now.y) / share);
    if (other) {
      const apart = (/** @type {{x: number, y: number}} */ point) => Math.hypot(point.x - other.x, point.y - other.y);
      const middle = { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 };
      camera.zoom(apart(now) / Math.max(apart(before), 1), ...place(middle));
    }
    fingers.set(event.pointerId, now);
  });

  const lift = (/** @type {PointerEvent} */ event) => {
    fingers.delete(event.pointerId);
    if (!fingers.size) stage.classList.remove("held");
  };
  addEventListener("pointerup", lift);
  addEventListener("pointercancel", lift);
  // what ends a drag is no click
  stage.addEventListener("click", (event) => slipped > SLACK && event.stopImmediatePropagation(), { capture: true });
  stage.addEventListener("dragstart", (event) => event.preventDefault());
}
