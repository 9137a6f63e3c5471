// The instrument: puts the parts on the page and answers window.hardwire.

/** Thumbnails of wrong answers at most, and bars of classes that are shown. */
const THUMBS = 120, BARS = 12;

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(`hw-${id}`);

/** The page's controls over one circuit. */
class Instrument {
  /** @param {Payload} payload */
  constructor(payload) {
    const { circuit, samples, shape } = payload;
    this.payload = payload;
    this.engine = new Engine(circuit);
    this.fast = wasmEngine(payload.wasm, circuit);
    this.graph = new Graph(circuit, /** @type {any} */ (payload).gates);
    this.words = circuit.inputs.length;
    /** Whether nodes are tables of more than two operands. */
    this.wide = circuit.arity.some((k) => k > 2);
    this.image = Boolean(shape) && samples.count > 0 && this.words === shape[0] * shape[1] * shape[2] && shape[0] !== 2 && shape[0] < 4;
    /** Numbers of the samples that are stepped through. @type {number[]} */
    this.chosen = Array.from({ length: samples.count }, (_, i) => i);
    this.at = 0;
    this.lamps = new LampBoard(byId("lamps"), byId("lamp-status"), this.graph);
    this.cone = new ConeView(byId("cone"), byId("cone-status"), this.graph);
    this.wrong = payload.task === "classify" ? this.chosen.filter((i) => this.answer(i) !== samples.truth[i]) : [];
    this.setUpInput();
    this.setUpSamples();
    this.setUpCone();
    this.setUpWrong();
    byId("path").addEventListener("change", (/** @type {Event} */ event) => {
      this.lamps.showPath = /** @type {HTMLInputElement} */ (event.target).checked;
      this.lamps.draw();
    });
  }

  /** The packed engine's class of a sample. @param {number} i */
  answer(i) {
    return this.payload.samples.answers[i * this.payload.circuit.outputs.length];
  }

  /** @param {number} i */
  codesOf(i) {
    return this.payload.samples.codes.subarray(i * this.words, (i + 1) * this.words);
  }

  /** @param {number} i */
  className(i) {
    return this.payload.classes[i] ?? String(i);
  }

  setUpInput() {
    const { payload } = this, { shape } = payload;
    if (!this.image) {
      byId("drawing").remove();
      this.fields = new Fields(byId("fields"), payload.circuit, this.graph.wordReads(this.graph.live), payload.samples,
                               () => this.show(this.fields.codes, null));
      this.fields.load(new Uint32Array(this.words));
      return;
    }
    byId("fields").remove();
    this.frame = framingOf(payload.samples, shape);
    byId("framing").textContent = framingText(this.frame, shape);
    this.pad = new Pad(byId("pad"), shape, this.frame, () => this.later());
    byId("clear").addEventListener("click", () => this.pad.clear());
    if (shape[0] === 3) {
      byId("pen").hidden = false;
      byId("colour").addEventListener("input", (/** @type {any} */ event) => (this.pad.colour = event.target.value));
    }
  }

  /** Classify the drawing once a frame. */
  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.drawn();
    });
  }

  /** Classify what is drawn. */
  drawn() {
    const start = performance.now(), codes = this.pad.codes();
    this.show(codes, null, start);
  }

  setUpSamples() {
    const { samples, task } = this.payload, slider = byId("sample"), which = byId("which");
    if (!samples.count) {
      byId("picker").remove();
      return;
    }
    const options = [["all", "all carried samples"], ...(this.wrong.length ? [["wrong", `wrong answers (${this.wrong.length})`]] : [])];
    if (task === "classify") this.payload.classes.forEach((name, i) => options.push([`${i}`, `class ${name}`]));
    for (const [value, text] of options) which.append(new Option(text, value));
    which.addEventListener("change", () => {
      const all = Array.from({ length: samples.count }, (_, i) => i), of = which.value;
      this.chosen = of === "all" ? all : of === "wrong" ? this.wrong : all.filter((i) => samples.truth[i] === Number(of));
      this.pick(0);
    });
    slider.addEventListener("input", () => this.pick(Number(slider.value)));
    byId("before").addEventListener("click", () => this.pick(this.at - 1));
    byId("next").addEventListener("click", () => this.pick(this.at + 1));
  }

  /** Load a sample of those that are stepped through. @param {number} at */
  pick(at) {
    const count = this.chosen.length, slider = byId("sample");
    slider.max = String(Math.max(0, count - 1));
    slider.disabled = !count;
    if (!count) {
      byId("sample-name").textContent = "no carried sample is of this class";
      return;
    }
    this.at = (at + count) % count;
    const i = this.chosen[this.at], codes = this.codesOf(i);
    slider.value = String(this.at);
    const name = `test sample ${this.payload.samples.rows[i]}`;
    slider.setAttribute("aria-valuetext", name);
    byId("sample-name").textContent = `${name}, ${this.at + 1} of ${count}`;
    this.pad?.showSample(codes);
    this.fields?.load(codes);
    this.show(codes, i);
  }

  /**
   * Run the circuit and show everything about the answer.
   * @param {Uint32Array} codes
   * @param {number | null} sample Its number, where it is one.
   * @param {number} [start] When the work began.
   */
  show(codes, sample, start = performance.now()) {
    const result = this.engine.one(codes);
    this.milliseconds = performance.now() - start;
    this.result = result;
    if (sample === null && this.payload.samples.count) {
      byId("sample-name").textContent = this.image ? "your drawing" : "your own values";
    }
    if (this.image) {
      drawImage(byId("seen"), codes, this.payload.shape, Math.min(this.frame.low, this.frame.high), Math.max(this.frame.low, this.frame.high));
    }
    if (this.payload.task === "classify") this.showClass(result, sample);
    else this.showOutputs(result, sample);
    byId("time").textContent = `computed here in ${this.milliseconds.toFixed(1)} ms`;
    const lit = this.lamps.show(result.nets);
    byId("lit").textContent = `${lit.toLocaleString("en")} of ${this.lamps.total.toLocaleString("en")} ${this.wide ? "tables" : "gates"} are on`;
    window.clearTimeout(this.pending); // a large cone is drawn when the pen rests
    if (sample === null) this.pending = window.setTimeout(() => this.cone.show(result.nets), 120);
    else this.cone.show(result.nets);
  }

  /** @param {{words: number[], votes: number[]}} result @param {number | null} sample */
  showClass({ words, votes }, sample) {
    const [best] = words, truth = sample === null ? null : this.payload.samples.truth[sample];
    byId("answer").textContent = this.className(best);
    const verdict = byId("truth");
    verdict.className = truth === null ? "" : truth === best ? "good" : "bad";
    verdict.textContent = truth === null ? "" : truth === best ? "✓ right" : `✗ the label is ${this.className(truth)}`;
    const sorted = [...votes].sort((a, b) => b - a);
    byId("margin").textContent = votes.length > 1 ? `margin ${sorted[0] - sorted[1]}: ${sorted[0]} votes to ${sorted[1]}` : "the classes' counts are not known of this circuit";
    const order = votes.map((_, i) => i), shown = votes.length <= BARS ? order : order.sort((a, b) => votes[b] - votes[a] || a - b).slice(0, BARS);
    const most = Math.max(1, ...votes), bars = byId("votes");
    bars.replaceChildren(...shown.map((c) => {
      const row = element("li", c === best ? "best" : ""), bar = element("span", "vote");
      bar.style.width = `${(100 * votes[c]) / most}%`;
      const track = element("span", "track");
      track.append(bar);
      row.append(element("span", "name", this.className(c)), track, element("span", "count", String(votes[c])));
      return row;
    }));
  }

  /** @param {{words: number[]}} result @param {number | null} sample */
  showOutputs({ words }, sample) {
    const { meaning, circuit, samples, task } = this.payload, list = byId("votes"), outputs = meaning.length;
    byId("answer").textContent = "";
    byId("truth").textContent = "";
    list.replaceChildren(...meaning.map((output, i) => {
      const at = circuit.outputs.findIndex((word) => word.name === output.word), word = words[at], row = element("li");
      const truth = sample === null ? null : samples.truth[sample * outputs + i], track = element("span", "track"), bar = element("span", "vote");
      bar.style.width = `${(100 * word) / (2 ** circuit.outputs[at].width - 1)}%`;
      track.append(bar);
      const value = task === "regress" ? short((output.bias ?? 0) + (output.scale ?? 1) * word) : word ? "on" : "off";
      const told = truth === null ? "" : task === "regress" ? ` (${short(truth)})` : truth === word ? " ✓" : " ✗";
      row.append(element("span", "name", output.name), track, element("span", "count", value + told));
      return row;
    }));
    const on = meaning.filter((_, i) => words[i]);
    byId("answer").textContent = task === "regress" ? list.firstElementChild?.lastElementChild?.textContent?.split(" (")[0] ?? ""
      : on.length ? on.slice(0, 4).map((output) => output.name).join(", ") + (on.length > 4 ? ` and ${on.length - 4} more` : "") : "no label";
    byId("margin").textContent = sample === null ? "" : task === "regress" ? "in brackets: the test sample's target" : "✓ as the test sample's label, ✗ not";
  }

  setUpCone() {
    const { circuit, task, classes, meaning } = this.payload, select = byId("of");
    /** @type {[string, ArrayLike<number>][]} */
    const cones = [];
    const width = circuit.voteClasses ? circuit.voteNets.length / circuit.voteClasses : 0;
    for (let c = 0; c < circuit.voteClasses; c++) cones.push([`class ${classes[c] ?? c}`, circuit.voteNets.subarray(c * width, (c + 1) * width)]);
    let bit = 0;
    for (const { name, width } of circuit.outputs) {
      const output = meaning.find((m) => m.word === name);
      const of = Array.from(circuit.outputNets.subarray(bit, bit + width));
      if (task !== "classify" || !cones.length) cones.push([output?.name ?? name, of]);
      bit += width;
    }
    cones.forEach(([name], i) => select.append(new Option(name, String(i))));
    const open = () => {
      const { gates, drawn, depth } = this.cone.open(cones[Number(select.value)][1]);
      const left = drawn < gates ? `; the ${drawn.toLocaleString("en")} nearest to the output are drawn` : "";
      byId("cone-size").textContent = `${gates.toLocaleString("en")} ${this.wide ? "tables" : "gates"}, depth ${depth}${left}`;
      if (this.result) this.cone.show(this.result.nets);
      this.showMap();
    };
    select.addEventListener("change", open);
    byId("in").addEventListener("click", () => this.cone.zoom(1.5));
    byId("out").addEventListener("click", () => this.cone.zoom(1 / 1.5));
    byId("fit").addEventListener("click", () => this.cone.fit());
    if (!this.payload.shape || !this.image) byId("map-figure").remove();
    else redrawOnChange(byId("map"), () => this.showMap());
    open();
  }

  /** Where gates of the cone look in the image. */
  showMap() {
    if (!this.image) return;
    const [channels, height, width] = this.payload.shape, reads = this.graph.wordReads(this.cone.marks), plane = height * width;
    const shares = new Float64Array(plane);
    for (let i = 0; i < channels * plane; i++) shares[i % plane] += reads[i];
    const most = Math.max(1, ...shares);
    drawShares(byId("map"), shares.map((v) => v / most), height, width, colours().accent);
  }

  setUpWrong() {
    const place = byId("thumbs"), shown = this.wrong.slice(0, THUMBS);
    if (!shown.length) {
      byId("wrong").remove();
      return;
    }
    byId("wrong-note").textContent = `${shown.length.toLocaleString("en")} test samples that the circuit gets wrong: label, then answer. Choose one to load it.`;
    place.append(...shown.map((i, k) => {
      const button = element("button", "thumb"), text = `${this.className(this.payload.samples.truth[i])} → ${this.className(this.answer(i))}`;
      button.type = "button";
      button.tabIndex = k ? -1 : 0;
      button.setAttribute("aria-label", `test sample ${this.payload.samples.rows[i]}, ${text.replace("→", "taken for")}`);
      if (this.image) {
        const canvas = element("canvas");
        drawImage(canvas, this.codesOf(i), this.payload.shape, Math.min(this.frame.low, this.frame.high), Math.max(this.frame.low, this.frame.high));
        button.append(canvas);
      }
      button.append(element("span", "", text));
      button.addEventListener("click", () => this.load(i));
      return button;
    }));
    place.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      const all = /** @type {HTMLElement[]} */ ([...place.children]), now = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
      const next = step && all[now + step];
      if (!next) return;
      event.preventDefault();
      all[now].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }

  /** Load a carried sample and go to the instrument. @param {number} i */
  load(i) {
    const which = byId("which");
    which.value = "all";
    which.dispatchEvent(new Event("change"));
    this.pick(i);
    byId("panel").scrollIntoView({ block: "start", behavior: window.matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    byId("sample").focus({ preventScroll: true });
  }

  /** Run every carried sample and compare with what the packed engine said. */
  check() {
    const { samples } = this.payload, start = performance.now(), words = this.run(samples.codes);
    const milliseconds = performance.now() - start;
    let equal = 0;
    const width = this.payload.circuit.outputs.length;
    for (let i = 0; i < samples.count; i++) {
      let same = true;
      for (let o = 0; o < width; o++) same &&= words[i * width + o] === samples.answers[i * width + o];
      equal += Number(same);
    }
    const count = samples.count.toLocaleString("en");
    byId("check").textContent = equal === samples.count
      ? `All ${count} carried samples ran here in ${milliseconds.toFixed(0)} ms${this.fast ? " by WebAssembly with SIMD" : ""}; every answer is the packed engine's.`
      : `${(samples.count - equal).toLocaleString("en")} of ${count} answers differ from the packed engine's: report a defect of this page.`;
    byId("check").className = equal === samples.count ? "note" : "bad";
    return { samples: samples.count, equal, milliseconds };
  }

  /**
   * Output words of many samples.
   * @param {ArrayLike<number>} codes (sample, input word).
   */
  run(codes) {
    return (this.fast ?? this.engine).run(codes);
  }
}

/** Build the instrument from the page's payload. */
function start() {
  const holder = byId("payload");
  if (!holder) return;
  byId("panel").hidden = false;
  const payload = readPayload(holder.textContent, Number(holder.dataset.size));
  holder.textContent = "";
  const instrument = new Instrument(payload);
  if (payload.samples.count) instrument.pick(0);
  else instrument.show(new Uint32Array(instrument.words), null);
  const checked = payload.samples.count ? instrument.check() : null;
  /** What scripts may use: `run` takes rows of input codes and returns rows of output words. */
  /** @type {any} */ (window).hardwire = {
    run(/** @type {number[][]} */ samples) {
      const width = payload.circuit.outputs.length, words = instrument.run(samples.flat());
      return samples.map((_, i) => Array.from(words.subarray(i * width, (i + 1) * width)));
    },
    inputs: payload.circuit.inputs.map((word) => ({ ...word })),
    outputs: payload.circuit.outputs.map((word) => ({ ...word })),
    classes: [...payload.classes],
    checked,
    engine: instrument.fast ? "wasm" : "javascript",
    last: () => ({
      words: [...instrument.result.words], votes: [...instrument.result.votes], milliseconds: instrument.milliseconds,
    }),
  };
}

/** A number with four digits. @param {number} value */
function short(value) {
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });
}

start();
