// @ts-check
/** Light or dark: as the system says, until a person chooses; the choice is kept in this browser. */

const KEY = "autoflow.theme";
const ORDER = ["system", "light", "dark"];
const DRAWN = {
  system: "M3 4.5h18v12H3zM9 20h6M12 16.5V20",
  light:
    "M12 8a4 4 0 1 0 .1 0M12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.8 1.8M17.2 17.2 19 19M5 19l1.8-1.8M17.2 6.8 19 5",
  dark: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
};
const SAYS = { system: "as the system", light: "light", dark: "dark" };
const SVG = "http://www.w3.org/2000/svg";

/** @typedef {"system" | "light" | "dark"} Theme */

/** @returns {Theme} what is chosen */
export function chosen() {
  const now = document.documentElement.dataset.theme;
  return now === "light" || now === "dark" ? now : "system";
}

/** @returns {boolean} whether the page is dark now, by choice or by the system */
export function isDark() {
  const now = chosen();
  return now === "dark" || (now === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
}

/**
 * Calls back whenever the colours change, by choice or by the system.
 * @param {() => void} told
 */
export function onTheme(told) {
  document.addEventListener("themechange", told);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", told);
}

/** @param {Theme} theme */
function choose(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // storage is forbidden here: the choice holds for this page
  }
  document.dispatchEvent(new Event("themechange"));
}

/**
 * Makes a button choose the colours, one after the other.
 * @param {HTMLElement} button
 */
export function themeButton(button) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  picture.append(path);
  button.replaceChildren(picture);
  const show = () => {
    path.setAttribute("d", DRAWN[chosen()]);
    button.setAttribute("aria-label", `Colours: ${SAYS[chosen()]}`);
    button.title = `Colours: ${SAYS[chosen()]}`;
  };
  button.addEventListener("click", () => {
    choose(/** @type {Theme} */ (ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length]));
    show();
  });
  show();
}
