/*** transpose8 ***/
/* An 8 x 8 bit matrix, byte r bit c to byte c bit r (Warren, Hacker's Delight, 7-3). */
static uint64_t transpose8(uint64_t x)
{
    uint64_t t;
    t = (x ^ (x >> 7)) & UINT64_C(0x00AA00AA00AA00AA);
    x ^= t ^ (t << 7);
    t = (x ^ (x >> 14)) & UINT64_C(0x0000CCCC0000CCCC);
    x ^= t ^ (t << 14);
    t = (x ^ (x >> 28)) & UINT64_C(0x00000000F0F0F0F0);
    return x ^ t ^ (t << 28);
}

/*** load ***/
/* The bit planes of one input word: bit s of planes[j] is bit j of in[s * stride]; 1 <= samples <= 64. */
static void load(const code_in *in, size_t stride, unsigned samples, unsigned width, uint64_t *planes)
{
    unsigned g, j, k, low;
    for (j = 0; j < width; j++)
        planes[j] = 0;
    if (width == 1) {
        for (k = 0; k < samples; k++)
            planes[0] |= (uint64_t)(in[k * stride] & 1) << k;
        return;
    }
    for (g = 0; g < samples; g += 8)
        for (low = 0; low < width; low += 8) {
            uint64_t block = 0;
            for (k = 0; k < 8 && g + k < samples; k++)
                block |= (uint64_t)(in[(g + k) * stride] >> low & 0xFF) << 8 * k;
            block = transpose8(block);
            for (j = low; j < width && j < low + 8; j++)
                planes[j] |= (block >> 8 * (j - low) & 0xFF) << g;
        }
}

/*** store ***/
/* The reverse of load for one output word, at most 64 planes. */
static void store(const uint64_t *planes, unsigned width, unsigned samples, code_out *out, size_t stride)
{
    unsigned g, j, k, low;
    for (g = 0; g < samples; g += 8)
        for (low = 0; low < width; low += 8) {
            uint64_t block = 0;
            for (j = low; j < width && j < low + 8; j++)
                block |= (planes[j] >> g & 0xFF) << 8 * (j - low);
            block = transpose8(block);
            for (k = 0; k < 8 && g + k < samples; k++) {
                code_out octet = (code_out)((code_out)(block >> 8 * k & 0xFF) << low);
                if (low == 0)
                    out[(g + k) * stride] = octet;
                else
                    out[(g + k) * stride] |= octet;
            }
        }
}

/*** gather ***/
static void gather(const uint64_t *slots, const slot_index *index, size_t n, uint64_t *x)
{
    size_t i;
    for (i = 0; i < n; i++)
        x[i] = slots[index[i]];
}

/*** scatter ***/
static void scatter(const uint64_t *x, const slot_index *index, size_t n, uint64_t *slots)
{
    size_t i;
    for (i = 0; i < n; i++)
        slots[index[i]] = x[i];
}

/*** popcount ***/
/* How many of n >= 1 planes are true, in 64 lanes at once; the count's planes replace the first ones of x.
   Full adders take the planes of one weight three by three; their carries are the planes of the next weight. */
static void popcount(uint64_t *x, size_t n)
{
    size_t i, carries, base;
    for (base = 0; n > 0; base++, n = carries) {
        uint64_t sum = x[base];
        carries = 0;
        for (i = 1; i + 1 < n; i += 2) {
            uint64_t a = x[base + i], b = x[base + i + 1], half = a ^ b;
            x[base + 1 + carries++] = (a & b) | (sum & half);
            sum ^= half;
        }
        if (i < n) {
            uint64_t a = x[base + i];
            x[base + 1 + carries++] = sum & a;
            sum ^= a;
        }
        x[base] = sum;
    }
}

/*** argmax ***/
/* Index of the largest of n unsigned words of width planes each, in 64 lanes at once; the lowest index wins a tie.
   The largest word so far stays in x[0 .. width-1]; index receives bits planes. */
static void argmax(uint64_t *x, size_t n, size_t width, uint64_t *index, unsigned bits)
{
    size_t i, j;
    for (j = 0; j < bits; j++)
        index[j] = 0;
    for (i = 1; i < n; i++) {
        const uint64_t *y = x + i * width;
        uint64_t wins = 0;
        for (j = 0; j < width; j++)
            wins = (wins & ~(x[j] ^ y[j])) | (y[j] & ~x[j]);
        for (j = 0; j < width; j++)
            x[j] = (x[j] & ~wins) | (y[j] & wins);
        for (j = 0; j < bits; j++)
            index[j] = (index[j] & ~wins) | (i >> j & 1 ? wins : 0);
    }
}

/*** largest ***/
/* Index of the largest of n numbers; the lowest index wins a tie. */
static unsigned largest(const number *x, unsigned n)
{
    unsigned i, best = 0;
    for (i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}
