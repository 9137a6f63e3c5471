/* The part of the Arduino core that the emitted example calls, for avr-gcc and an ATmega328P alone. */
#pragma once
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>
#include <stdlib.h>

class __FlashStringHelper;
#define F(text) (reinterpret_cast<const __FlashStringHelper *>(PSTR(text)))

struct Port {
    void begin(unsigned long) { UCSR0B = 1 << TXEN0; }
    operator bool() const { return true; }
    void put(char c)
    {
        while (!(UCSR0A & 1 << UDRE0)) {
        }
        UDR0 = static_cast<uint8_t>(c);
    }
    void print(const __FlashStringHelper *text)
    {
        const char *p = reinterpret_cast<const char *>(text);
        while (const char c = static_cast<char>(pgm_read_byte(p++)))
            put(c);
    }
    void println(const __FlashStringHelper *text)
    {
        print(text);
        put('\n');
    }
    void println(int number)
    {
        char text[8];
        for (const char *p = itoa(number, text, 10); *p; p++)
            put(*p);
        put('\n');
    }
};
static Port Serial;

/* The example is at its end: with interrupts off, sleeping ends the simulator. */
inline void delay(unsigned long)
{
    cli();
    sleep_enable();
    sleep_cpu();
}

void setup();
void loop();
int main()
{
    setup();
    loop();
}
