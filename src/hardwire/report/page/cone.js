// What one output depends on, as a drawing by level that can be moved and enlarged by mouse, touch and keys.

/** Nodes that are drawn at most; the ones nearest to the output are kept. */
const MOST_DRAWN = 12_000;
const COLUMN = 30, TALL = 900;

/** The cone of one class. */
class ConeView {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} status Where a chosen gate is described.
   * @param {Graph} graph
   */
  constructor(canvas, status, graph) {
    this.canvas = canvas;
    this.status = status;
    this.graph = graph;
    /** @type {Uint32Array | null} */
    this.nets = null;
    this.scale = 1;
    this.x = this.y = 0;
    /** Pointers that are down. @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    /** @type {number | null} */
    this.chosen = null;
    /** Nets that the cone holds. @type {Uint8Array} */
    this.marks = new Uint8Array(0);
    /** Nets of the longest path. @type {Set<number>} */
    this.path = new Set();
    /** Net, or -1 - input word: place, column, and space between neighbours. @type {Map<number, [number, number]>} */
    this.at = new Map();
    /** @type {Map<number, number>} */
    this.columnOf = new Map();
    /** @type {Map<number, number>} */
    this.spaceOf = new Map();
    /** Wires as nets. @type {{from: number, to: number}[]} */
    this.edges = [];
    /** @type {Record<"off" | "on" | "critical", Path2D> | null} */
    this.paths = null;
    this.width = this.height = this.wide = this.high = this.columns = 1;
    redrawOnChange(canvas, () => this.fit());
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => this.pointers.delete(/** @type {PointerEvent} */ (event).pointerId));
    }
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.press(event));
  }

  /**
   * Show the cone of some nets.
   * @param {ArrayLike<number>} roots
   */
  open(roots) {
    const { graph } = this, { firstNode } = graph.circuit, marks = graph.cone(roots), { level } = graph;
    const nodes = [];
    for (let net = firstNode; net < marks.length; net++) if (marks[net]) nodes.push(net);
    nodes.sort((a, b) => level[a] - level[b] || a - b);
    const kept = nodes.slice(-MOST_DRAWN);
    this.marks = marks;
    this.path = new Set(graph.criticalPath(roots));
    this.place(kept);
    this.chosen = null;
    this.fit();
    return { gates: nodes.length, drawn: kept.length, depth: Math.max(0, ...Array.from(roots, (net) => level[net])) };
  }

  /**
   * Columns by level; within a column by the mean place of the operands. Input words stand in column 0.
   * @param {number[]} nodes By level.
   */
  place(nodes) {
    const { graph } = this, { firstNode } = graph.circuit, words = /** @type {Set<number>} */ (new Set());
    for (const net of nodes) for (const o of graph.operandsOf(net)) if (o > 1 && o < firstNode) words.add(keyOf(graph, o));
    this.at.clear();
    this.columnOf.clear();
    this.spaceOf.clear();
    let high = 30, columns = 0;
    const put = (/** @type {number[]} */ column) => {
      const space = Math.min(16, TALL / Math.max(1, column.length));
      column.forEach((item, i) => {
        this.at.set(item, [0, (i - (column.length - 1) / 2) * space]);
        this.columnOf.set(item, columns);
        this.spaceOf.set(item, space);
      });
      high = Math.max(high, column.length * space + 30);
      columns++;
    };
    put([...words].sort((a, b) => b - a));
    const mean = (/** @type {number} */ net) => {
      let sum = 0, count = 0;
      for (const o of graph.operandsOf(net)) {
        const place = this.at.get(keyOf(graph, o));
        if (place) [sum, count] = [sum + place[1], count + 1];
      }
      return sum / Math.max(1, count);
    };
    for (let begin = 0; begin < nodes.length; ) {
      let end = begin;
      while (end < nodes.length && graph.level[nodes[end]] === graph.level[nodes[begin]]) end++;
      const order = nodes.slice(begin, end).map((net) => ({ net, mean: mean(net) }));
      put(order.sort((a, b) => a.mean - b.mean || a.net - b.net).map(({ net }) => net));
      begin = end;
    }
    this.edges = [];
    for (const net of nodes) for (const o of graph.operandsOf(net)) if (o > 1) this.edges.push({ from: o, to: net });
    this.columns = columns;
    this.high = high;
  }

  /** Show the whole cone. */
  fit() {
    this.width = this.canvas.clientWidth || 300;
    this.height = this.width < 500 ? 300 : 420;
    if (!this.at.size) return;
    const stretch = Math.min(3, Math.max(1, ((this.width / this.height) * this.high) / (COLUMN * this.columns)));
    for (const [item, place] of this.at) place[0] = this.columnOf.get(item) * COLUMN * stretch;
    this.wide = COLUMN * stretch * this.columns;
    this.scale = Math.min(this.width / this.wide, this.height / this.high);
    this.x = this.width / 2 - (this.wide / 2) * (1 - 1 / this.columns) * this.scale;
    this.y = this.height / 2;
    this.prepare();
  }

  /** @param {Uint32Array} nets */
  show(nets) {
    this.nets = nets;
    if (this.at.size) this.prepare();
  }

  /** Make the paths of wires, which only change with the values. */
  prepare() {
    const paths = { off: new Path2D(), on: new Path2D(), critical: new Path2D() };
    const curved = this.edges.length < 6000;
    for (const { from, to } of this.edges) {
      const a = this.at.get(keyOf(this.graph, from)), b = this.at.get(to);
      if (!a || !b) continue;
      const path = this.path.has(from) && this.path.has(to) && this.graph.level[to] === this.graph.level[from] + 1 ? "critical"
        : this.nets && this.nets[from] & 1 ? "on" : "off";
      const middle = (a[0] + b[0]) / 2;
      paths[path].moveTo(a[0], a[1]);
      if (curved) paths[path].bezierCurveTo(middle, a[1], middle, b[1], b[0], b[1]);
      else paths[path].lineTo(b[0], b[1]);
    }
    this.paths = paths;
    this.draw();
  }

  draw() {
    if (!this.paths) return;
    const palette = colours(), context = sharpen(this.canvas, this.width, this.height);
    context.translate(this.x, this.y);
    context.scale(this.scale, this.scale);
    const many = this.edges.length > 3000;
    for (const [name, colour, alpha, thick] of /** @type {["off" | "on" | "critical", string, number, number][]} */ ([
      ["off", palette.muted, many ? 0.12 : 0.25, 0.8], ["on", palette.accent, many ? 0.3 : 0.55, 0.9], ["critical", palette.bad, 1, 2]])) {
      context.strokeStyle = colour;
      context.globalAlpha = alpha;
      context.lineWidth = thick / this.scale;
      context.stroke(this.paths[name]);
    }
    context.globalAlpha = 1;
    for (const [item, [x, y]] of this.at) {
      this.node(context, palette, item, x, y, Math.min(5, 0.42 * (this.spaceOf.get(item) ?? 1)));
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {ReturnType<typeof colours>} palette
   * @param {number} item Net, or -1 - word.
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   */
  node(context, palette, item, x, y, radius) {
    const px = this.x + x * this.scale, py = this.y + y * this.scale;
    if (px < -60 || px > this.width + 60 || py < -20 || py > this.height + 20) return;
    const size = Math.max(radius, 0.7 / this.scale);
    if (item < 0) {
      context.fillStyle = palette.ink;
      context.fillRect(x - size, y - size, 2 * size, 2 * size);
    } else {
      const lit = this.nets && this.nets[item] & 1;
      context.fillStyle = lit ? palette.stages[this.graph.circuit.stage[item - this.graph.circuit.firstNode]] : palette.card;
      context.strokeStyle = item === this.chosen || this.path.has(item) ? palette.bad
        : palette.stages[this.graph.circuit.stage[item - this.graph.circuit.firstNode]];
      context.lineWidth = (item === this.chosen ? 3 : 1.2) / this.scale;
      context.beginPath();
      context.arc(x, y, size, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
    if (radius * this.scale > 9) {
      context.fillStyle = palette.ink;
      context.font = `${10 / this.scale}px system-ui, sans-serif`;
      context.textAlign = "center";
      const text = item < 0 ? this.graph.circuit.inputs[-1 - item].name : this.graph.gate(item);
      context.fillText(text, x, y - size - 3 / this.scale);
    }
  }

  /**
   * Enlarge about a point of the canvas.
   * @param {number} factor
   * @param {number} [x]
   * @param {number} [y]
   */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const scale = Math.min(40, Math.max(0.02, this.scale * factor)), by = scale / this.scale;
    this.x = x - (x - this.x) * by;
    this.y = y - (y - this.y) * by;
    this.scale = scale;
    this.draw();
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.draw();
  }

  /** @param {MouseEvent} event */
  local(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  down(event) {
    this.pointers.set(event.pointerId, this.local(event));
    this.canvas.setPointerCapture(event.pointerId);
    if (this.pointers.size === 1) this.choose(this.local(event));
  }

  /** @param {PointerEvent} event */
  move(event) {
    const before = this.pointers.get(event.pointerId), now = this.local(event);
    if (!before) return;
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (!other) return this.pan(now.x - before.x, now.y - before.y);
    const apart = (/** @type {{x: number, y: number}} */ p) => Math.hypot(p.x - other.x, p.y - other.y) || 1;
    this.zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (document.activeElement !== this.canvas && !event.ctrlKey) return; // the page scrolls
    event.preventDefault();
    const { x, y } = this.local(event);
    this.zoom(Math.exp(-event.deltaY / 300), x, y);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const move = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    const factor = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 }[event.key];
    if (!move && !factor && event.key !== "0") return;
    event.preventDefault();
    if (move) this.pan(move[0], move[1]);
    else if (factor) this.zoom(factor);
    else this.fit();
  }

  /** @param {{x: number, y: number}} point */
  choose({ x, y }) {
    let best = null, least = 14;
    for (const [item, [a, b]] of this.at) {
      const far = Math.hypot(this.x + a * this.scale - x, this.y + b * this.scale - y);
      if (far < least) [best, least] = [item, far];
    }
    if (best === null) return;
    this.chosen = best;
    this.status.textContent = best < 0 ? `${this.graph.circuit.inputs[-1 - best].name}: input` : this.graph.describe(best, this.nets);
    this.draw();
  }
}

/**
 * What a net is in the drawing: a node is itself, an input bit is -1 - its word.
 * @param {Graph} graph
 * @param {number} net
 */
function keyOf(graph, net) {
  return net < graph.circuit.firstNode ? -1 - graph.wordOf[net] : net;
}
