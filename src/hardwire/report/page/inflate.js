// Decompression of zlib data, RFC 1950 and 1951, in one synchronous function: a page works where DecompressionStream is absent.

/**
 * A Huffman code in canonical form.
 * @typedef {{count: Uint16Array, symbol: Uint16Array}} HuffmanCode
 */

/**
 * @param {ArrayLike<number>} lengths Bits of each symbol's code; 0 where a symbol does not occur.
 * @returns {HuffmanCode}
 */
function huffmanCode(lengths) {
  const count = new Uint16Array(16), start = new Uint16Array(17), symbol = new Uint16Array(lengths.length);
  for (let i = 0; i < lengths.length; i++) count[lengths[i]]++;
  count[0] = 0;
  for (let n = 1; n < 16; n++) start[n + 1] = start[n] + count[n];
  for (let i = 0; i < lengths.length; i++) if (lengths[i]) symbol[start[lengths[i]]++] = i;
  return { count, symbol };
}

/**
 * Lengths and distances of copies: the base of each symbol, and how many extra bits follow it.
 * @param {number} symbols How many there are.
 * @param {number} group Symbols that have equally many extra bits.
 * @param {number} first The first base.
 */
function copyTable(symbols, group, first) {
  const base = new Uint16Array(symbols), extra = new Uint8Array(symbols);
  for (let i = 0, value = first; i < symbols; i++) {
    extra[i] = Math.max(0, Math.floor(i / group) - 1);
    base[i] = value;
    value += 1 << extra[i];
  }
  return { base, extra };
}

const LENGTHS = copyTable(29, 4, 3);
LENGTHS.base[28] = 258;
LENGTHS.extra[28] = 0;
const DISTANCES = copyTable(30, 2, 1);
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/**
 * Decompress zlib data.
 * @param {Uint8Array} data
 * @param {number} size Bytes of the result.
 * @returns {Uint8Array}
 */
function inflate(data, size) {
  const out = new Uint8Array(size);
  let at = 2, filled = 0, held = 0, bits = 0;

  /** @param {number} n */
  const take = (n) => {
    while (bits < n) {
      if (at >= data.length) throw new Error("compressed data end too early");
      held |= data[at++] << bits;
      bits += 8;
    }
    const value = held & ((1 << n) - 1);
    held >>>= n;
    bits -= n;
    return value;
  };

  /** @param {HuffmanCode} code */
  const decode = (code) => {
    let value = 0, first = 0, index = 0;
    for (let n = 1; n < 16; n++) {
      value |= take(1);
      const count = code.count[n];
      if (value - count < first) return code.symbol[index + value - first];
      index += count;
      first = (first + count) << 1;
      value <<= 1;
    }
    throw new Error("compressed data hold an unknown code");
  };

  const stored = () => {
    held = bits = 0;
    const length = data[at] | (data[at + 1] << 8);
    at += 4;
    out.set(data.subarray(at, at + length), filled);
    at += length;
    filled += length;
  };

  const fixedCodes = () => {
    const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
    return [huffmanCode(lengths), huffmanCode(new Uint8Array(30).fill(5))];
  };

  const ownCodes = () => {
    const literals = take(5) + 257, distances = take(5) + 1, given = take(4) + 4, short = new Uint8Array(19);
    for (let i = 0; i < given; i++) short[LENGTH_ORDER[i]] = take(3);
    const code = huffmanCode(short), lengths = new Uint8Array(literals + distances);
    for (let i = 0; i < lengths.length; ) {
      const symbol = decode(code);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      const value = symbol === 16 ? lengths[i - 1] : 0;
      const repeat = symbol === 16 ? 3 + take(2) : symbol === 17 ? 3 + take(3) : 11 + take(7);
      lengths.fill(value, i, i + repeat);
      i += repeat;
    }
    return [huffmanCode(lengths.subarray(0, literals)), huffmanCode(lengths.subarray(literals))];
  };

  /** @param {HuffmanCode[]} codes */
  const block = ([literals, distances]) => {
    for (;;) {
      const symbol = decode(literals);
      if (symbol === 256) return;
      if (symbol < 256) {
        out[filled++] = symbol;
        continue;
      }
      const length = LENGTHS.base[symbol - 257] + take(LENGTHS.extra[symbol - 257]);
      const far = decode(distances), distance = DISTANCES.base[far] + take(DISTANCES.extra[far]);
      for (let i = 0; i < length; i++, filled++) out[filled] = out[filled - distance];
    }
  };

  for (let last = 0; !last; ) {
    last = take(1);
    const kind = take(2);
    if (kind === 3) throw new Error("compressed data hold an unknown block");
    if (kind === 0) stored();
    else block(kind === 1 ? fixedCodes() : ownCodes());
  }
  if (filled !== size) throw new Error(`compressed data hold ${filled} bytes, not ${size}`);
  return out;
}
