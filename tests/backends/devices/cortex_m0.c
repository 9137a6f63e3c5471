/* The least that a Cortex-M0 needs to start: vectors, memory, and semihosting to print and to end. */
#include <stdint.h>

extern uint32_t text_end, data_start, data_end, bss_start, bss_end, stack_top;
int main(void);
void reset(void);
void say(const char *text);

static int host(int what, const void *argument)
{
    register int r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void say(const char *text)
{
    host(4, text); /* SYS_WRITE0 */
}

void reset(void)
{
    uint32_t *from = &text_end, *to = &data_start;
    while (to < &data_end)
        *to++ = *from++;
    for (to = &bss_start; to < &bss_end; to++)
        *to = 0;
    main();
    host(0x18, (const void *)0x20026); /* SYS_EXIT, of an application that ended */
    for (;;) {
    }
}

static void stopped(void)
{
    say("FAULT\n");
    host(0x18, (const void *)0x20023);
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, (const void *)reset, (const void *)stopped, (const void *)stopped};
