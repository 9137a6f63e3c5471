// Every gate a lamp of equal area, so that encoder, network and head are drawn to scale; lit where its value is 1.

const GAP = 12;

/** The board of lamps. */
class LampBoard {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} status Where a chosen gate is described.
   * @param {Graph} graph
   */
  constructor(canvas, status, graph) {
    this.canvas = canvas;
    this.status = status;
    this.graph = graph;
    const { circuit, level } = graph, { firstNode, nodes, stage } = circuit;
    /** Nets of each stage, by level. @type {number[][]} */
    this.stages = [[], [], []];
    for (let node = 0; node < nodes; node++) if (graph.isGate(firstNode + node)) this.stages[stage[node]].push(firstNode + node);
    for (const nets of this.stages) nets.sort((a, b) => level[a] - level[b] || a - b);
    this.total = this.stages.reduce((sum, nets) => sum + nets.length, 0);
    this.path = graph.criticalPath(circuit.outputNets).filter((net) => graph.isGate(net));
    this.showPath = true;
    /** Width and height of the board, side of a lamp and lamps in a column, as `layout` sets them. */
    this.width = this.height = this.side = this.rows = 1;
    /** Where each stage begins. @type {number[]} */
    this.left = [];
    /** Stage and place of each net: 4 * place + stage + 1; 0 of what has no lamp. */
    this.place = new Uint32Array(graph.level.length);
    /** @type {number | null} */
    this.chosen = null;
    /** @type {Uint32Array | null} */
    this.nets = null;
    this.background = document.createElement("canvas");
    redrawOnChange(canvas, () => this.layout());
    canvas.addEventListener("pointermove", (event) => event.pointerType === "mouse" && this.point(event));
    canvas.addEventListener("pointerdown", (event) => this.point(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    this.layout();
  }

  /** Place the lamps for the canvas's width. */
  layout() {
    const width = this.canvas.clientWidth || 300, used = this.stages.filter((nets) => nets.length).length;
    const tall = Math.min(460, Math.max(140, 1.9 * Math.sqrt(this.total))), room = width - GAP * Math.max(0, used - 1);
    const columns = (/** @type {number} */ rows) => this.stages.reduce((sum, nets) => sum + Math.ceil(nets.length / rows), 0);
    const side = (/** @type {number} */ rows) => Math.min(16, room / Math.max(1, columns(rows)));
    let rows = 1;
    while (rows < this.total && (rows + 1) * side(rows + 1) <= tall) rows++;
    this.width = width;
    this.rows = rows;
    this.side = side(rows);
    this.height = rows * this.side;
    this.left = [];
    let left = 0;
    for (const nets of this.stages) {
      this.left.push(left);
      left += Math.ceil(nets.length / rows) * this.side + (nets.length ? GAP : 0);
    }
    this.stages.forEach((nets, stage) => nets.forEach((net, i) => (this.place[net] = 4 * i + stage + 1)));
    const palette = colours(), context = sharpen(this.background, width, this.height);
    context.globalAlpha = 0.17;
    this.stages.forEach((nets, stage) => {
      context.fillStyle = palette.stages[stage];
      for (const net of nets) this.lamp(context, net);
    });
    this.draw();
  }

  /** @param {number} net @returns {[number, number]} */
  corner(net) {
    const place = this.place[net] - 1, i = place >> 2;
    return [this.left[place & 3] + Math.floor(i / this.rows) * this.side, (i % this.rows) * this.side];
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} net
   */
  lamp(context, net) {
    const [x, y] = this.corner(net), gap = this.side > 4 ? 1 : this.side > 2 ? 0.5 : 0;
    context.fillRect(x, y, this.side - gap, this.side - gap);
  }

  /**
   * Show the values of all nets.
   * @param {Uint32Array} nets
   * @returns {number} Lamps that are lit.
   */
  show(nets) {
    this.nets = nets;
    return this.draw();
  }

  draw() {
    const palette = colours(), context = sharpen(this.canvas, this.width, this.height);
    context.drawImage(this.background, 0, 0, this.width, this.height);
    let lit = 0;
    this.stages.forEach((lamps, stage) => {
      context.fillStyle = palette.stages[stage];
      for (const net of lamps) {
        if (this.nets && this.nets[net] & 1) {
          lit++;
          this.lamp(context, net);
        }
      }
    });
    if (this.showPath) this.outline(context, this.path, palette.ink);
    if (this.chosen !== null) this.drawChosen(context, this.chosen, palette.bad);
    return lit;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number[]} nets
   * @param {string} colour
   */
  outline(context, nets, colour) {
    context.strokeStyle = colour;
    context.lineWidth = 1.2;
    const side = Math.max(3, this.side - 1);
    for (const net of nets) {
      const [x, y] = this.corner(net);
      context.strokeRect(x + 0.1, y + 0.1, side, side);
    }
  }

  /**
   * A gate with lines from its operands.
   * @param {CanvasRenderingContext2D} context
   * @param {number} net
   * @param {string} colour
   */
  drawChosen(context, net, colour) {
    this.outline(context, [net], colour);
    const [x, y] = this.corner(net), half = this.side / 2;
    context.beginPath();
    for (const operand of this.graph.operandsOf(net)) {
      if (!this.place[operand]) continue;
      const [a, b] = this.corner(operand);
      context.moveTo(a + half, b + half);
      context.lineTo(x + half, y + half);
    }
    context.stroke();
  }

  /** @param {number | null} net */
  choose(net) {
    if (net === this.chosen) return;
    this.chosen = net;
    if (net !== null) this.status.textContent = this.graph.describe(net, this.nets);
    this.draw();
  }

  /** @param {PointerEvent} event */
  point(event) {
    const box = this.canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    for (let stage = 2; stage >= 0; stage--) {
      const column = Math.floor((x - this.left[stage]) / this.side), row = Math.floor(y / this.side);
      const net = this.stages[stage][column * this.rows + row];
      if (column >= 0 && row >= 0 && row < this.rows && net !== undefined) return this.choose(net);
    }
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -this.rows, ArrowRight: this.rows }[event.key];
    if (event.key === "Escape") this.choose(null);
    if (!step) return;
    event.preventDefault();
    const all = this.stages.flat(), now = this.chosen === null ? -1 : all.indexOf(this.chosen);
    this.choose(all[Math.min(all.length - 1, Math.max(0, now + (now < 0 ? 1 : step)))]);
  }
}
