// The colours of the style sheet, which the library decides, for what is drawn by script.

const dark = matchMedia("(prefers-color-scheme: dark)");
const LEVELS = 48;
let known = null;

export function whenColoursChange(act) {
  dark.addEventListener("change", () => { known = null; act(); });
}

export function palette() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  known ??= {
    ...Object.fromEntries(["ink", "quiet", "paper", "grid", "axis", "accent", "rise", "fall"].map((name) => [name, of(name)])),
    lines: [1, 2, 3, 4, 5, 6].map((number) => of(`line-${number}`)),
    ...scales(of("scale").split(" ")),
  };
  return known;
}

// The scale of a map as plotly takes it, and in so many levels.
function scales(stops) {
  const last = stops.length - 1;
  const parts = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  const levels = Array.from({ length: LEVELS }, (_, level) => {
    const at = level / (LEVELS - 1) * last;
    const below = Math.min(Math.floor(at), last - 1);
    return `rgb(${parts[below].map((part, channel) => Math.round(part + (at - below) * (parts[below + 1][channel] - part)))})`;
  });
  return { scale: stops.map((stop, at) => [at / last, stop]), levels };
}
