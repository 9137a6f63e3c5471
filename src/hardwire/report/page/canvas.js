// What all drawings share: sharp canvases, the page's colours, small images.

/** Colours of the page's theme. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of("ink"), muted: of("muted"), line: of("line"), card: of("card"), soft: of("soft"),
    accent: of("accent"), other: of("other"), raw: of("raw"), bad: of("bad"), good: of("good"),
    stages: [of("raw"), of("accent"), of("other")],
  };
}

/**
 * Give a canvas as many pixels as the screen has for it, and scale its context to CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @returns {CanvasRenderingContext2D}
 */
function sharpen(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1, context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.height = `${height}px`;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/**
 * Draw anew when the theme or the width changes.
 * @param {HTMLElement} element
 * @param {() => void} draw
 */
function redrawOnChange(element, draw) {
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let width = element.clientWidth;
  new ResizeObserver(() => {
    if (element.clientWidth === width) return;
    width = element.clientWidth;
    draw();
  }).observe(element);
}

/**
 * Codes of a sample as an image, one canvas pixel for each pixel.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} codes (channel, row, column).
 * @param {number[]} shape
 * @param {number} low Code of black.
 * @param {number} high Code of white.
 */
function drawImage(canvas, codes, [channels, height, width], low, high) {
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height), plane = width * height;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = (255 * (codes[(channels === 3 ? c : 0) * plane + i] - low)) / (high - low);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/**
 * Shares 0 to 1 as an image of one colour and that opacity.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} shares (row, column).
 * @param {number} height
 * @param {number} width
 * @param {string} colour
 */
function drawShares(canvas, shares, height, width, colour) {
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = colour;
  for (let i = 0; i < shares.length; i++) {
    context.globalAlpha = shares[i];
    if (shares[i]) context.fillRect(i % width, Math.floor(i / width), 1, 1);
  }
}

/**
 * An element with a class and text.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[T]}
 */
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
