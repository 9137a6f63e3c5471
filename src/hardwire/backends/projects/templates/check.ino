/* @{generated}.
 *
 * Says PASS on the serial port, at 115200 bauds, where the model gives what its circuit gives.
 */
#include <@{name}_model.h>
#include "@{name}_vectors.h"

void setup()
{
  Serial.begin(115200);
  while (!Serial) {
  }
  const int wrong = @{name}_check();
  if (wrong == 0) {
    Serial.println(F("PASS"));
  } else {
    Serial.print(F("FAIL "));
    Serial.println(wrong);
  }
}

void loop()
{
  delay(1000);
}
