// Where a surface is looked at from, as plotly takes it, and where on the picture one then sees a point of it.

const FIRST = { azimuth: -45, elevation: 20, nearness: 1 };
const CENTER = { x: 0, y: 0, z: -0.15 };
const UP = { x: 0, y: 0, z: 1 };
const DISTANCE = 2.27; // in edges of the cube that the axes are
const LEAST_WIDTH = 1.15; // of a picture, by its height, that shows the whole cube from there
const STEEPEST = 85;
const [NEAREST, FARTHEST] = [4, 0.25];
const FOCUS = 1 / Math.tan(Math.PI / 8); // plotly's lens, which nothing tells: `test_page_pictures` compares the two

const radians = (degrees) => degrees * Math.PI / 180;
const within = (low, value, high) => Math.min(Math.max(value, low), high);

export class Camera {
  constructor() { this.home(); }

  home() { Object.assign(this, FIRST); }

  // By degrees, around the cube and up.
  turn(around, up) {
    this.azimuth = (this.azimuth + around) % 360;
    this.elevation = within(-STEEPEST, this.elevation + up, STEEPEST);
  }

  zoom(times) { this.nearness = within(FARTHEST, this.nearness * times, NEAREST); }

  // For a picture of this size: from where one sees all of the cube, unless one went nearer.
  of(width, height) {
    const distance = DISTANCE * Math.max(1, LEAST_WIDTH * height / width) / this.nearness;
    const [azimuth, elevation] = [radians(this.azimuth), radians(this.elevation)];
    const eye = {
      x: CENTER.x + distance * Math.cos(elevation) * Math.cos(azimuth),
      y: CENTER.y + distance * Math.cos(elevation) * Math.sin(azimuth),
      z: CENTER.z + distance * Math.sin(elevation),
    };
    return { eye, center: CENTER, up: UP };
  }

  // Gives for a point of the cube, each of whose edges is from -1/2 to 1/2, its place in pixels and its depth.
  sight(width, height) {
    const { eye, center } = this.of(width, height);
    const ahead = unit([center.x - eye.x, center.y - eye.y, center.z - eye.z]);
    const right = unit([ahead[1], -ahead[0], 0]);
    const up = [right[1] * ahead[2] - right[2] * ahead[1], right[2] * ahead[0] - right[0] * ahead[2], right[0] * ahead[1] - right[1] * ahead[0]];
    const from = [eye.x, eye.y, eye.z];
    return (...point) => {
      const seen = point.map((value, at) => value - from[at]);
      const depth = dot(ahead, seen);
      const scale = FOCUS * height / 2 / depth;
      return { x: width / 2 + scale * dot(right, seen), y: height / 2 - scale * dot(up, seen), depth };
    };
  }
}

const dot = (one, other) => one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
const unit = (vector) => vector.map((each) => each / Math.hypot(...vector));
