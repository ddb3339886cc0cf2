// What moves: while a market plays fast, plotly draws the room, and a canvas over it what is in it, for its own drawing
// of a step takes about as long as the step may.

import { palette } from "./colours.js";

const ROOM = 0.2; // beside the data, at either end of an axis, to move in
const LEAST = 0.35; // of an axis that the data fill; or it is drawn anew
const MARK = 4;

export class Moving {
  #asked = null;

  constructor(plot, camera) {
    this.plot = plot;
    this.camera = camera;
    this.canvas = Object.assign(document.createElement("canvas"), { className: "moving" });
  }

  // Paints; where the data leave the room, `draw` draws another one first, of traces and a layout.
  async show(traces, layout, draw) {
    const is3d = traces[0]?.type === "surface";
    const names = is3d ? ["x", "y", "z"] : ["x", "y"];
    const axisOf = (name) => (is3d ? layout.scene : layout)[`${name}axis`] ?? {};
    const extents = names.map((name) => extent(traces, name));
    const around = JSON.stringify(layout);
    if (this.#asked?.around !== around || !this.#asked.ranges.every((range, at) => fits(range, extents[at], axisOf(names[at])))) {
      const ranges = names.map((name, at) => axisOf(name).range ?? roomFor(extents[at], axisOf(name)));
      const axes = Object.fromEntries(names.map((name, at) => [`${name}axis`, { ...axisOf(name), range: ranges[at], ...(is3d ? {} : { fixedrange: true }) }]));
      await draw([cornersOf(ranges)], is3d ? { ...layout, scene: { ...layout.scene, ...axes } } : { ...layout, ...axes });
      this.#asked = { around, ranges };
    }
    this.paint(traces);
  }

  paint(traces) {
    if (!this.#asked) return;
    if (this.canvas.parentNode !== this.plot) this.plot.append(this.canvas);
    const { clientWidth: width, clientHeight: height } = this.plot;
    const sharpness = devicePixelRatio;
    const [wide, high] = [Math.round(width * sharpness), Math.round(height * sharpness)];
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, wide, high);
    pen.scale(sharpness, sharpness);
    const { ranges } = this.#asked;
    if (ranges.length === 3) paintSurface(pen, traces[0], ranges, this.camera.sight(width, height));
    else paintLines(pen, traces, roomOf(this.plot), ...ranges);
  }

  // Plotly draws everything again.
  clear() {
    this.#asked = null;
    this.canvas.remove();
  }
}

function extent(traces, name) {
  let [low, high] = [Infinity, -Infinity];
  const each = (value) => {
    if (value === null || value === undefined) return;
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const trace of traces) for (const value of trace[name]) if (Array.isArray(value)) value.forEach(each); else each(value);
  return low <= high ? [low, high] : [0, 1];
}

// Within its axes, as plotly has left room for their labels, which it does not tell: `test_page_pictures` compares the two.
const roomOf = (plot) => plot._fullLayout._size;

const widthOf = ([low, high]) => high - low;

function roomFor([low, high], { rangemode }) {
  const beside = ROOM * (high - low || Math.abs(low) || 1);
  const below = low - beside;
  return [rangemode === "tozero" || (low >= 0 && below < 0) ? 0 : below, high + beside];
}

function fits(range, data, { range: given, rangemode }) {
  if (given) return given[0] === range[0] && given[1] === range[1];
  return range[0] <= data[0] && data[1] <= range[1] && (rangemode === "tozero" || widthOf(data) >= LEAST * widthOf(range) || widthOf(data) === 0);
}

function paintLines(pen, traces, room, across, up) {
  pen.beginPath();
  pen.rect(room.l, room.t, room.w, room.h);
  pen.clip();
  pen.lineJoin = "round";
  const x = (value) => room.l + (value - across[0]) / widthOf(across) * room.w;
  const y = (value) => room.t + (up[1] - value) / widthOf(up) * room.h;
  const along = (trace, at) => pen.lineTo(x(trace.x[at]), y(trace.y[at]));
  traces.forEach((trace, number) => {
    const length = trace.x.length;
    if (trace.fill === "tonexty") {
      const below = traces[number - 1];
      pen.beginPath();
      for (let at = 0; at < length; at++) along(trace, at);
      for (let at = below.x.length - 1; at >= 0; at--) along(below, at);
      pen.fillStyle = trace.fillcolor;
      pen.fill();
    }
    const { color = trace.marker?.color, width = 2, dash } = trace.line ?? {};
    pen.strokeStyle = pen.fillStyle = color;
    if (trace.mode.includes("lines") && width > 0) {
      pen.lineWidth = width;
      pen.setLineDash(dash === "dot" ? [width * 2, width * 2] : []);
      pen.beginPath();
      let isOn = false;
      for (let at = 0; at < length; at++) {
        const isThere = trace.y[at] !== null && trace.y[at] !== undefined;
        if (isThere && isOn) along(trace, at);
        else if (isThere) pen.moveTo(x(trace.x[at]), y(trace.y[at]));
        isOn = isThere;
      }
      pen.stroke();
    }
    if (trace.mode.includes("markers")) {
      pen.beginPath();
      for (let at = 0; at < length; at++) {
        pen.moveTo(x(trace.x[at]), y(trace.y[at]));
        pen.arc(x(trace.x[at]), y(trace.y[at]), MARK, 0, 2 * Math.PI);
      }
      pen.fill();
    }
  });
}

// A room is whole only with something in it, though that is not seen.
function cornersOf([x, y, z]) {
  return { type: z ? "scatter3d" : "scatter", mode: "markers", x, y, z, opacity: 0, marker: { size: 1 }, hoverinfo: "skip" };
}

// As one sees it through plotly's lens, over a whole picture: its faces in their colours, those behind first.
function paintSurface(pen, { x, y, z }, ranges, sight) {
  const { levels } = palette();
  const share = (value, [from, to]) => (value - from) / (to - from) - 0.5;
  const points = z.map((row, at) => row.map((value, along) => (value === null ? null
    : { ...sight(share(x[at][along], ranges[0]), share(y[at][along], ranges[1]), share(value, ranges[2])), value })));
  const [low, high] = extent([{ z }], "z");
  const faces = [];
  for (let row = 1; row < points.length; row++) {
    for (let at = 1; at < points[row].length; at++) {
      const corners = [points[row - 1][at - 1], points[row - 1][at], points[row][at], points[row][at - 1]];
      if (corners.every(Boolean)) faces.push({ corners, depth: corners.reduce((sum, { depth }) => sum + depth, 0) });
    }
  }
  faces.sort((one, other) => other.depth - one.depth);
  pen.lineWidth = 0.7;
  pen.lineJoin = "round";
  for (const { corners } of faces) {
    const value = corners.reduce((sum, each) => sum + each.value, 0) / 4;
    pen.fillStyle = pen.strokeStyle = levels[Math.min(Math.floor((value - low) / (high - low || 1) * levels.length), levels.length - 1)];
    pen.beginPath();
    for (const each of corners) pen.lineTo(each.x, each.y);
    pen.closePath();
    pen.fill();
    pen.stroke(); // else the paper shows between two faces
  }
}
