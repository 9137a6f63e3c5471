/*** helpers ***/
static inline unsigned MODEL_bit(const uint8_t *s, uint_fast16_t net)
{
    return (unsigned)(s[net >> 3] >> (net & 7u)) & 1u;
}

/* One byte below 128, or two. */
static inline uint_fast16_t MODEL_count(const uint8_t **p)
{
    uint_fast16_t x = MODEL_READ((*p)++);
    if (x >= 128u)
        x = (uint_fast16_t)(128u + ((x & 127u) << 8 | MODEL_READ((*p)++)));
    return x;
}

/* A constant, its lowest byte first. */
static inline MODEL_number MODEL_constant(const uint8_t **p, unsigned bytes)
{
    MODEL_number x = 0;
    unsigned i;
    for (i = 0; i < bytes; i++)
        x = (MODEL_number)(x | (MODEL_number)((MODEL_number)MODEL_READ((*p)++) << 8u * i));
    return x;
}

/* A word in runs of neighbouring nets, their distances counted back from net last. */
static inline MODEL_number MODEL_word(const uint8_t **p, const uint8_t *s, uint_fast16_t last, uint_fast16_t width)
{
    MODEL_number x = 0;
    uint_fast16_t i = 0;
    while (i < width) {
        uint_fast16_t net = (uint_fast16_t)(last - MODEL_count(p)), length = MODEL_count(p);
        for (; length > 0; length--, i++, net++)
            x = (MODEL_number)(x | (MODEL_number)((MODEL_number)MODEL_bit(s, net) << i));
    }
    return x;
}

/*** run ***/
static inline void MODEL_run(const MODEL_code_in *in, MODEL_code_out *out)
{
    const uint8_t *p = MODEL_table;
    uint8_t s[MODEL_STATE];
    uint_fast16_t i, net = 2;
    unsigned written = 0;
    for (i = 0; i < MODEL_STATE; i++)
        s[i] = 0;
    s[0] = 2;
    while (written < MODEL_OUTPUTS) {
        const unsigned head = MODEL_READ(p++), kind = head >> 4, low = head & 15u;
        const uint_fast16_t last = (uint_fast16_t)(net - 1u);
        MODEL_number x = 0;
        unsigned bits = 1;
        switch (kind) {
        case 0x0: /* out */
            i = MODEL_count(&p);
            out[written++] = (MODEL_code_out)MODEL_word(&p, s, last, i);
            bits = 0;
            break;
        case 0x3: { /* ge */
            MODEL_number least;
            i = MODEL_count(&p);
            least = MODEL_constant(&p, sizeof(MODEL_number));
            x = MODEL_word(&p, s, last, i) >= least;
            break;
        }
        case 0x5: /* level */
        case 0xC: /* bits */
            in += low < 15u ? low : 15u + MODEL_count(&p);
            if (kind == 0x5) {
                MODEL_code_in least = 0;
                for (i = 0; i < sizeof(MODEL_code_in); i++)
                    least = (MODEL_code_in)(least | (MODEL_code_in)((MODEL_code_in)MODEL_READ(p++) << 8u * i));
                x = *in >= least;
            } else {
                const MODEL_code_in code = (MODEL_code_in)(*in >> MODEL_READ(p++));
                uint_fast16_t length = MODEL_READ(p++);
                for (i = 0; i < length; i++, net++)
                    s[net >> 3] = (uint8_t)(s[net >> 3] | (unsigned)((unsigned)(code >> i) & 1u) << (net & 7u));
                bits = 0;
            }
            break;
        case 0xA: { /* argmax */
            uint_fast16_t words = MODEL_count(&p), width = MODEL_count(&p);
            MODEL_number best = MODEL_word(&p, s, last, width);
            for (i = 1; i < words; i++) {
                const MODEL_number word = MODEL_word(&p, s, last, width);
                if (word > best) {
                    best = word;
                    x = (MODEL_number)i;
                }
            }
            bits = low;
            break;
        }
        case 0xF: { /* count */
            uint_fast16_t operand = last;
            for (i = MODEL_count(&p); i > 0; i--) {
                operand = (uint_fast16_t)(operand - MODEL_count(&p));
                x = (MODEL_number)(x + MODEL_bit(s, operand));
            }
            bits = low;
            break;
        }
        default: { /* the table of a gate */
            uint_fast16_t far = low & 7u, near = 0;
            if (far == 7u)
                far = MODEL_READ(p++);
            far = (uint_fast16_t)(far << 8 | MODEL_READ(p++));
            if (low < 8u)
                near = MODEL_count(&p);
            x = kind >> (MODEL_bit(s, (uint_fast16_t)(last - far))
                         | MODEL_bit(s, (uint_fast16_t)(last - near)) << 1) & 1u;
        }
        }
        for (; bits > 0; bits--, net++, x = (MODEL_number)(x >> 1))
            s[net >> 3] = (uint8_t)(s[net >> 3] | (unsigned)(x & 1u) << (net & 7u));
    }
}
