// What hands do to a picture, by keys and by the mouse: a surface is turned, of what can be opened one is chosen, and of
// the others a part is looked at.

import { Camera } from "./camera.js";

const DEGREES = 5;
const DEGREES_A_PIXEL = 0.4;
const FURTHER = 3; // with the shift key
const NEARER = 1.15;
const PART = 0.1; // of an axis
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const ZOOMS = { "+": 1, "=": 1, "-": -1, "−": -1 };

export const handsOf = (picture) => [new Turning(picture), new Choosing(picture), new Looking(picture)];

class Turning {
  kind = "turning";
  hint = "Drag it or press the arrow keys (with Shift: further) to turn it, + and − to zoom, Home for how it was.";
  camera = new Camera();

  constructor(picture) { this.picture = picture; }

  suits({ traces }) { return traces[0]?.type === "surface"; }

  // A surface follows the arrow as it follows the mouse.
  press({ key, shiftKey }) {
    const far = DEGREES * (shiftKey ? FURTHER : 1);
    if (ARROWS[key]) this.camera.turn(-ARROWS[key][0] * far, -ARROWS[key][1] * far);
    else if (ZOOMS[key]) this.camera.zoom(NEARER ** ZOOMS[key]);
    else if (key === "Home") this.camera.home();
    else return false;
    this.picture.turned();
    return true;
  }

  grab({ button, pointerId, clientX, clientY }) {
    if (button !== 0) return;
    const { frame } = this.picture;
    const held = new AbortController();
    let [x, y] = [clientX, clientY];
    frame.focus({ preventScroll: true });
    frame.setPointerCapture(pointerId);
    frame.addEventListener("pointermove", (event) => {
      this.camera.turn((x - event.clientX) * DEGREES_A_PIXEL, (event.clientY - y) * DEGREES_A_PIXEL);
      [x, y] = [event.clientX, event.clientY];
      this.picture.turned();
    }, held);
    frame.addEventListener("lostpointercapture", () => held.abort(), held);
  }

  // The wheel is the page's, unless one has gone to the picture.
  roll(event) {
    if (document.activeElement !== this.picture.frame) return;
    event.preventDefault();
    this.camera.zoom(NEARER ** -Math.sign(event.deltaY));
    this.picture.turned();
  }
}

class Choosing {
  kind = "choosing";
  hint = "Click, or choose with the arrow keys and press Enter.";

  constructor(picture) { this.picture = picture; }

  suits({ traces }) { return Boolean(this.picture.act) && traces.length > 0; }

  press({ key }) {
    const { picture } = this;
    if (picture.spec !== this.spec) [this.spec, this.at] = [picture.spec, null];
    const trace = this.spec.traces.at(-1);
    const isMap = trace.type === "heatmap";
    if ((key === "Enter" || key === " ") && this.at) {
      picture.act(this.point);
      return true;
    }
    if (!ARROWS[key]) return false;
    const most = [trace.x.length - 1, isMap ? trace.y.length - 1 : 0];
    this.at = this.at ? this.at.map((each, axis) => Math.min(Math.max(each + ARROWS[key][axis], 0), most[axis])) : [0, 0];
    const [across, up] = this.at;
    this.point = isMap ? { x: trace.x[across], y: trace.y[up], z: trace.z[up][across] } : { x: trace.x[across], y: trace.y[across] };
    picture.mark(isMap
      ? { type: "rect", x0: across - 0.5, x1: across + 0.5, y0: up - 0.5, y1: up + 0.5 }
      : { type: "line", x0: this.point.x, x1: this.point.x, yref: "paper", y0: 0, y1: 1 }, this.point);
    return true;
  }
}

class Looking {
  kind = "looking";
  hint = "The arrow keys move what is shown, + and − zoom, Home shows all of it.";

  constructor(picture) { this.picture = picture; }

  suits() { return true; }

  press({ key }) {
    const { picture } = this;
    if (picture.spec?.isMoving || !picture.plot.layout) return false;
    if (key === "Home") picture.lookAtAll();
    else if (ARROWS[key]) this.#look(([low, high], axis) => [low, high].map((end) => end + PART * (high - low) * ARROWS[key][axis]));
    else if (ZOOMS[key]) this.#look(([low, high]) => [low, high].map((end) => (low + high) / 2 + (end - (low + high) / 2) * NEARER ** -ZOOMS[key]));
    else return false;
    return true;
  }

  #look(moved) {
    const { layout } = this.picture.plot;
    this.picture.lookAt(Object.fromEntries(["xaxis", "yaxis"].map((name, axis) => [name, moved(layout[name].range.map(numberOf), axis)])));
  }
}

// An instant, which plotly writes as `2024-01-02 15:30`, in milliseconds.
const numberOf = (end) => (typeof end === "number" ? end : Date.parse(end.length > 10 ? `${end.replace(" ", "T")}Z` : end));
