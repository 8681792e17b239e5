// Sets the page up: colours of the page, then the scenes.

/** Follows the system until a person chooses. */
function listenToTheme() {
  const button = document.getElementById("theme"), system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const label = () => { button.textContent = isDark() ? "Light page" : "Dark page"; };
  button.hidden = false;
  button.addEventListener("click", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; label(); });
  system.addEventListener("change", label);
  label();
}

async function start() {
  listenToTheme();
  const element = document.getElementById("scenes");
  if (!element) return;
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("viewer-message").textContent =
      "This browser is too old for the viewer; the picture below shows the same planes.";
    return;
  }
  const descriptions = JSON.parse(element.textContent), scenes = new Map();
  const viewer = new Viewer(document.getElementById("viewer")), map = document.getElementById("margin-map");
  const surface = map && new MarginMap(map, (point) => viewer.goToPoint(point));
  const choice = document.getElementById("scene-choice");
  const open = async (number) => {
    if (!scenes.has(number)) scenes.set(number, await Scene.load(descriptions[number], number));
    viewer.show(scenes.get(number));
    surface?.show(scenes.get(number));
    for (const part of document.querySelectorAll("[data-scene]")) part.classList.toggle("other", Number(part.dataset.scene) !== number);
  };
  choice?.addEventListener("input", () => open(Number(choice.value)));
  document.documentElement.classList.add("has-viewer");
  await open(0);
  document.getElementById("viewer-message").textContent = "";
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  document.documentElement.classList.remove("has-viewer");
  document.getElementById("viewer-message").textContent =
    `The viewer could not start (${error.message}); the picture below shows the same planes.`;
  console.error(error);
});
