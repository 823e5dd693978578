// Pans and zooms the picture by mouse; without this script the picture scrolls like any element.

(() => {
  const sheet = document.querySelector(".sheet");
  const picture = sheet.querySelector("svg");
  const [width, height] = ["width", "height"].map((side) => Number(picture.getAttribute(side)));
  let scale = 1;

  // Set the scale, keeping the point of the picture at (x, y) of the sheet in its position.
  const zoom = (newScale, x, y) => {
    const limited = Math.min(4, Math.max(0.02, newScale));
    const [left, top] = [(sheet.scrollLeft + x) / scale, (sheet.scrollTop + y) / scale];
    scale = limited;
    picture.setAttribute("width", String(width * scale));
    picture.setAttribute("height", String(height * scale));
    sheet.scrollTo(left * scale - x, top * scale - y);
  };
  const fit = () => Math.min(1, sheet.clientWidth / width, (innerHeight * 0.76) / height);
  const scales = { in: () => scale * 1.25, out: () => scale / 1.25, fit };

  const tools = document.querySelector(".tools");
  tools.hidden = false;
  tools.addEventListener("click", (event) => {
    const targetScale = scales[event.target.dataset.zoom];
    if (targetScale) zoom(targetScale(), sheet.clientWidth / 2, sheet.clientHeight / 2);
  });

  sheet.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const frame = sheet.getBoundingClientRect();
      zoom(scale * Math.exp(-event.deltaY / 400), event.clientX - frame.left, event.clientY - frame.top);
    },
    { passive: false },
  );

  sheet.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch" || event.target.closest("a")) return;
    const from = [event.clientX + sheet.scrollLeft, event.clientY + sheet.scrollTop];
    const pan = (now) => sheet.scrollTo(from[0] - now.clientX, from[1] - now.clientY);
    const release = () => {
      sheet.classList.remove("dragging");
      removeEventListener("pointermove", pan);
      removeEventListener("pointerup", release);
    };
    sheet.classList.add("dragging");
    addEventListener("pointermove", pan);
    addEventListener("pointerup", release);
  });

  zoom(Math.max(fit(), 0.5), 0, 0);
  const entered = picture.querySelector(".entered");
  if (entered) {
    const [card, frame] = [entered.getBoundingClientRect(), sheet.getBoundingClientRect()];
    sheet.scrollBy(
      card.left + card.width / 2 - frame.left - sheet.clientWidth / 2,
      card.top + card.height / 2 - frame.top - sheet.clientHeight / 2,
    );
  }
})();
