// @ts-check
// Applies the chosen theme before the first paint, so that a dark page never flashes light.
{
  let theme = null;
  try {
    theme = localStorage.getItem("autoflow.theme");
  } catch {
    // storage is forbidden: follow the system
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}
