// Drawing by hand: strokes become an image that is cut, sized and placed as the samples are, then codes.

/** Share of the brightest code from which a pixel counts as ink. */
const INK = 0.15;

/**
 * How samples fill their frame, measured on those that the page carries.
 * @typedef {object} Framing
 * @property {number} low Code of the background.
 * @property {number} high Code of full ink.
 * @property {"longer" | "height" | "none"} fit Which side of the drawing is brought to `size`.
 * @property {number} size Pixels.
 * @property {"mass" | "box" | "none"} centre What is placed at `middle`.
 * @property {[number, number]} middle Column and row.
 * @property {number} thickness Of strokes, in pixels.
 */

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** @param {number[]} values */
function spreadOf(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
}

/**
 * Box, centre of mass and thickness of an image's ink.
 * @param {ArrayLike<number>} ink 0 to 1 (row, column).
 * @param {number} width
 * @param {number} height
 */
function measureInk(ink, width, height) {
  let left = width, right = -1, top = height, bottom = -1, sum = 0, mx = 0, my = 0, edges = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const v = ink[i];
      sum += v;
      mx += v * (x + 0.5);
      my += v * (y + 0.5);
      edges += Math.abs(v - (x ? ink[i - 1] : 0)) + Math.abs(v - (y ? ink[i - width] : 0));
      if (x === width - 1) edges += v;
      if (y === height - 1) edges += v;
      if (v < INK) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return {
    wide: right + 1 - left, high: bottom + 1 - top, box: [(left + right + 1) / 2, (top + bottom + 1) / 2],
    mass: [mx / sum, my / sum], sum, thickness: (2.55 * sum) / edges,  // edges of a long stroke: 2 * length * 4 / pi
  };
}

/**
 * Find out how samples are framed. Where boxes differ much in size or place, drawings stay where they are drawn.
 * @param {Samples} samples
 * @param {number[]} shape
 * @returns {Framing}
 */
function framingOf(samples, [channels, height, width]) {
  const plane = height * width, size = channels * plane, count = Math.min(300, samples.count), border = [];
  let least = Infinity, most = 0;
  for (let i = 0; i < count * size; i++) {
    least = Math.min(least, samples.codes[i]);
    most = Math.max(most, samples.codes[i]);
  }
  for (let s = 0; s < count; s++) {
    for (let x = 0; x < width; x++) border.push(samples.codes[s * size + x], samples.codes[s * size + plane - 1 - x]);
  }
  const dark = border.length === 0 || median(border) * 2 <= most + least;
  const frame = /** @type {Framing} */ ({
    low: dark ? least : most, high: dark ? most : least, fit: "none", size: height, centre: "none",
    middle: [width / 2, height / 2], thickness: Math.max(1, width / 11),
  });
  if (channels !== 1 || most === least) return frame;
  const found = [];
  for (let s = 0; s < count; s++) {
    const ink = Float64Array.from(samples.codes.subarray(s * size, (s + 1) * size), (v) => (v - frame.low) / (frame.high - frame.low));
    const measured = measureInk(ink, width, height);
    if (measured.sum > 0 && measured.wide > 0 && measured.sum < 0.6 * plane) found.push(measured);
  }
  if (found.length < 20) return frame;
  const small = 0.05 * height, spreads = {
    longer: spreadOf(found.map((m) => Math.max(m.wide, m.high))), height: spreadOf(found.map((m) => m.high)),
    mass: spreadOf(found.map((m) => m.mass[0])) + spreadOf(found.map((m) => m.mass[1])),
    box: spreadOf(found.map((m) => m.box[0])) + spreadOf(found.map((m) => m.box[1])),
  };
  frame.thickness = median(found.map((m) => m.thickness));
  if (Math.min(spreads.longer, spreads.height) > small) return frame;
  frame.fit = spreads.height < spreads.longer ? "height" : "longer";
  frame.size = median(found.map((m) => (frame.fit === "height" ? m.high : Math.max(m.wide, m.high))));
  frame.centre = spreads.mass < spreads.box ? "mass" : "box";
  const centre = frame.centre;
  frame.middle = [median(found.map((m) => m[centre][0])), median(found.map((m) => m[centre][1]))];
  return frame;
}

/** @param {Framing} frame @param {number[]} shape */
function framingText(frame, [, height]) {
  if (frame.fit === "none") return "A drawing is taken as it stands.";
  const side = frame.fit === "height" ? "its height" : "its longer side", what = frame.centre === "mass" ? "centre of mass" : "middle";
  return `A drawing is scaled, ${side} to ${frame.size} of ${height} pixels, and placed by its ${what}, as the test samples are.`;
}

/** The canvas that is drawn on. */
class Pad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number[]} shape
   * @param {Framing} frame
   * @param {() => void} changed
   */
  constructor(canvas, shape, frame, changed) {
    this.canvas = canvas;
    this.shape = shape;
    this.frame = frame;
    this.changed = changed;
    this.colour = "#ffffff";
    /** Strokes of points from 0 to 1. @type {{colour: string, points: [number, number][]}[]} */
    this.strokes = [];
    /** What stands on the pad where nothing is drawn. @type {Uint32Array | null} */
    this.sample = null;
    this.pen = { x: 0.5, y: 0.5, down: false, shown: false };
    this.scratch = document.createElement("canvas");
    this.image = document.createElement("canvas");
    this.drawing = false;
    redrawOnChange(canvas, () => this.draw());
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (this.drawing = false));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => {
      this.pen.shown = this.pen.down = false;
      this.draw();
    });
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  local(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  /** @param {PointerEvent} event */
  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.drawing = true;
    this.pen.shown = false;
    const [x, y] = this.local(event);
    this.strokes.push({ colour: this.colour, points: [[x, y], [x + 1e-3, y]] });
    this.update();
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (!this.drawing) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.strokes[this.strokes.length - 1].points.push(this.local(each));
    this.update();
  }

  /** Arrow keys move a pen, space lowers and lifts it, Delete clears. @param {KeyboardEvent} event */
  key(event) {
    const step = { ArrowLeft: [-0.04, 0], ArrowRight: [0.04, 0], ArrowUp: [0, -0.04], ArrowDown: [0, 0.04] }[event.key];
    const { pen } = this, inside = (/** @type {number} */ v) => Math.min(0.98, Math.max(0.02, v));
    if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else if (event.key === " ") {
      pen.down = !pen.down;
      if (pen.down) this.strokes.push({ colour: this.colour, points: [[pen.x, pen.y], [pen.x + 1e-3, pen.y]] });
    } else if (step) {
      pen.x = inside(pen.x + step[0]);
      pen.y = inside(pen.y + step[1]);
      if (pen.down) this.strokes[this.strokes.length - 1].points.push([pen.x, pen.y]);
    } else return;
    event.preventDefault();
    pen.shown = true;
    if (pen.down) this.update();
    else this.draw();
  }

  /** @param {Uint32Array} codes */
  showSample(codes) {
    this.strokes = [];
    this.sample = codes;
    this.draw();
  }

  clear() {
    this.strokes = [];
    this.sample = null;
    this.update();
  }

  update() {
    this.sample = null;
    this.draw();
    this.changed();
  }

  draw() {
    const width = this.canvas.clientWidth || 280, [, h, w] = this.shape, height = (width * h) / w;
    const context = sharpen(this.canvas, width, height), dark = this.frame.low <= this.frame.high;
    context.fillStyle = dark ? "#000" : "#fff";
    context.fillRect(0, 0, width, height);
    if (this.sample) {
      const low = Math.min(this.frame.low, this.frame.high), high = Math.max(this.frame.low, this.frame.high);
      drawImage(this.image, this.sample, this.shape, low, high);
      context.imageSmoothingEnabled = false;
      context.drawImage(this.image, 0, 0, width, height);
    }
    this.paint(context, ([x, y]) => [x * width, y * height], Math.max(6, (this.frame.thickness * width) / w));
    if (this.pen.shown) {
      context.strokeStyle = this.pen.down ? "#f55" : "#888";
      context.lineWidth = 2;
      context.strokeRect(this.pen.x * width - 6, this.pen.y * height - 6, 12, 12);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {(point: [number, number]) => number[]} place
   * @param {number} thick
   */
  paint(context, place, thick) {
    const dark = this.frame.low <= this.frame.high;
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = thick;
    for (const { colour, points } of this.strokes) {
      context.strokeStyle = this.shape[0] === 3 ? colour : dark ? "#fff" : "#000";
      context.beginPath();
      points.forEach((point, i) => context[i ? "lineTo" : "moveTo"](.../** @type {[number, number]} */ (place(point))));
      context.stroke();
    }
  }

  /**
   * The drawing as codes of the input words (channel, row, column).
   * @returns {Uint32Array}
   */
  codes() {
    const [channels, height, width] = this.shape, { frame } = this, points = this.strokes.flatMap((stroke) => stroke.points);
    let scale = 1, shift = [0, 0];
    if (frame.fit !== "none" && points.length) {
      const xs = points.map(([x]) => x * width), ys = points.map(([, y]) => y * height);
      const left = Math.min(...xs), right = Math.max(...xs), top = Math.min(...ys), bottom = Math.max(...ys);
      const side = frame.fit === "height" ? bottom - top : Math.max(right - left, bottom - top);
      const room = Math.max(1, frame.size - frame.thickness);
      scale = side > 0.05 * height ? room / side : 1;
      if (frame.fit === "height") scale = Math.min(scale, (width - frame.thickness) / Math.max(1e-9, right - left));
      shift = [frame.middle[0] - (scale * (left + right)) / 2, frame.middle[1] - (scale * (top + bottom)) / 2];
    }
    let codes = this.raster(scale, shift);
    if (frame.fit !== "none" && frame.centre === "mass" && points.length) {
      const ink = Float64Array.from(codes, (v) => (v - frame.low) / (frame.high - frame.low));
      const { mass } = measureInk(ink, width, height);
      codes = this.raster(scale, [shift[0] + frame.middle[0] - mass[0], shift[1] + frame.middle[1] - mass[1]]);
    }
    return codes;
  }

  /**
   * Strokes with their place scaled and shifted, each pixel the mean of a finer image.
   * @param {number} scale
   * @param {number[]} shift
   */
  raster(scale, shift) {
    const [channels, height, width] = this.shape, { frame, scratch } = this, fine = Math.max(2, Math.round(160 / Math.max(width, height)));
    scratch.width = width * fine;
    scratch.height = height * fine;
    const context = /** @type {CanvasRenderingContext2D} */ (scratch.getContext("2d", { willReadFrequently: true }));
    const dark = frame.low <= frame.high, least = Math.min(frame.low, frame.high), most = Math.max(frame.low, frame.high);
    context.fillStyle = dark ? "#000" : "#fff";
    context.fillRect(0, 0, scratch.width, scratch.height);
    this.paint(context, ([x, y]) => [(x * width * scale + shift[0]) * fine, (y * height * scale + shift[1]) * fine], frame.thickness * fine);
    const { data } = context.getImageData(0, 0, scratch.width, scratch.height), plane = width * height;
    const sums = new Float64Array(channels * plane);
    for (let y = 0, i = 0; y < scratch.height; y++) {
      const row = Math.floor(y / fine) * width;
      for (let x = 0; x < scratch.width; x++, i += 4) {
        for (let c = 0; c < channels; c++) sums[c * plane + row + Math.floor(x / fine)] += data[i + c % 3];
      }
    }
    return Uint32Array.from(sums, (sum) => Math.round(least + ((most - least) * sum) / (255 * fine * fine)));
  }
}
