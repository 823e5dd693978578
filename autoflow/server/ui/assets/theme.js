// @ts-check
/** The colour theme: follows the system until a person chooses light or dark; the choice is stored in the browser. */
import { drawnIcon } from "./dom.js";

/** @typedef {"system" | "light" | "dark"} Theme */

const STORAGE_KEY = "autoflow.theme";
/** @type {readonly Theme[]} */
const THEMES = ["system", "light", "dark"];
const ICONS = {
  system: "M3 4.5h18v12H3zM9 20h6M12 16.5V20",
  light:
    "M12 8a4 4 0 1 0 .1 0M12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22" +
    "M5 5l1.8 1.8M17.2 17.2 19 19M5 19l1.8-1.8M17.2 6.8 19 5",
  dark: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
};
const LABELS = { system: "as the system", light: "light", dark: "dark" };

/** @returns {Theme} the chosen theme */
function chosenTheme() {
  const { theme } = document.documentElement.dataset;
  return theme === "light" || theme === "dark" ? theme : "system";
}

/**
 * Call back whenever the theme changes, by choice or by the system.
 * @param {() => void} callback
 */
export function onThemeChange(callback) {
  document.addEventListener("themechange", callback);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}

/** @param {Theme} theme */
function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, theme);
  } catch {
    // storage is forbidden: the choice lasts for this page
  }
  document.dispatchEvent(new Event("themechange"));
}

/**
 * Make a button switch to the next theme at each click.
 * @param {HTMLElement} button
 */
export function initThemeButton(button) {
  const update = () => {
    const theme = chosenTheme();
    const label = `Colours: ${LABELS[theme]}`;
    button.replaceChildren(drawnIcon(ICONS[theme]));
    button.setAttribute("aria-label", label);
    button.title = label;
  };
  button.addEventListener("click", () => {
    setTheme(THEMES[(THEMES.indexOf(chosenTheme()) + 1) % THEMES.length] ?? "system");
    update();
  });
  update();
}
