// @ts-check
// Runs before anything is painted: the colours a person chose, so that a dark page never flashes light.

{
  let chosen = null;
  try {
    chosen = localStorage.getItem("autoflow.theme");
  } catch {
    // storage is forbidden here: the system's colours stay
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
