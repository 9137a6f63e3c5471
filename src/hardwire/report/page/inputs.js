// Number fields and sliders for the features of a table.

/** Fields that are shown at first. */
const FIRST_FIELDS = 16;

/** One field for each input word, those first that the circuit reads most. */
class Fields {
  /**
   * @param {HTMLElement} place
   * @param {Circuit} circuit
   * @param {ArrayLike<number>} reads How often gates read each word.
   * @param {Samples} samples
   * @param {() => void} changed
   */
  constructor(place, circuit, reads, samples, changed) {
    this.circuit = circuit;
    this.changed = changed;
    this.codes = new Uint32Array(circuit.inputs.length);
    /** @type {{slider: HTMLInputElement, field: HTMLInputElement | null}[]} */
    this.controls = [];
    const order = Array.from(circuit.inputs.keys()).sort((a, b) => reads[b] - reads[a] || a - b);
    const list = element("div", "fields"), rest = element("div", "fields");
    order.forEach((word, i) => (i < FIRST_FIELDS ? list : rest).append(this.field(word, reads[word], samples)));
    place.append(list);
    if (order.length <= FIRST_FIELDS) return;
    const details = element("details");
    details.append(element("summary", "", `${order.length - FIRST_FIELDS} more features`), rest);
    place.append(details);
  }

  /**
   * @param {number} index
   * @param {number} reads
   * @param {Samples} samples
   */
  field(index, reads, samples) {
    const word = this.circuit.inputs[index], row = element("div", "field"), id = `hw-field-${index}`;
    let low = Infinity, high = 0;
    for (let s = 0; s < samples.count; s++) {
      const code = samples.codes[s * this.circuit.inputs.length + index];
      low = Math.min(low, code);
      high = Math.max(high, code);
    }
    if (low > high) [low, high] = [0, 2 ** word.width - 1];
    const label = element("label", "", word.name), slider = element("input");
    label.htmlFor = id;
    slider.id = id;
    const range = word.width === 1 ? "" : `${short(Number(valueText(word, low)))} to ${short(Number(valueText(word, high)))}`;
    label.append(element("small", "", [range, reads ? "" : "not read"].filter(Boolean).join("; ")));
    row.append(label);
    if (word.width === 1) {
      slider.type = "checkbox";
      slider.addEventListener("change", () => this.set(index, slider.checked ? 1 : 0));
      row.append(slider);
      this.controls[index] = { slider, field: null };
    } else {
      const field = element("input");
      Object.assign(slider, { type: "range", min: "0", max: String(2 ** word.width - 1), step: "1" });
      Object.assign(field, { type: "number", step: "any" });
      field.setAttribute("aria-label", `${word.name}, value`);
      slider.addEventListener("input", () => this.set(index, Number(slider.value)));
      field.addEventListener("change", () => {
        if (field.value !== "" && Number.isFinite(Number(field.value))) this.set(index, codeOf(word, Number(field.value)));
      });
      row.append(slider, field);
      this.controls[index] = { slider, field };
    }
    return row;
  }

  /** @param {number} index @param {number} code */
  set(index, code) {
    this.codes[index] = code;
    this.show(index);
    this.changed();
  }

  /** @param {Uint32Array} codes */
  load(codes) {
    this.codes = Uint32Array.from(codes);
    for (let i = 0; i < codes.length; i++) this.show(i);
  }

  /** @param {number} index */
  show(index) {
    const { slider, field } = this.controls[index], word = this.circuit.inputs[index], code = this.codes[index];
    if (!field) {
      slider.checked = code > 0;
      return;
    }
    slider.value = String(code);
    slider.setAttribute("aria-valuetext", valueText(word, code));
    field.value = valueText(word, code);
  }
}

/**
 * A code's physical value, where its interval begins, with as many digits as tell it from its neighbours.
 * @param {InputWord} word
 * @param {number} code
 */
function valueText(word, code) {
  const value = word.offset + word.step * code;
  if (Number.isInteger(word.step) && Number.isInteger(word.offset)) return String(value);
  const digits = Math.max(0, Math.min(12, Math.ceil(-Math.log10(word.step)) + 1));
  return String(Number(value.toFixed(digits)));
}
