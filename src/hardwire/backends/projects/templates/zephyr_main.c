/* @{generated}.
 *
 * Says PASS on the console where the model gives what its circuit gives.
 */
#include <zephyr/sys/printk.h>
#include "@{name}_model.h"
#include "@{name}_vectors.h"

int main(void)
{
	const int wrong = @{name}_check();

	if (wrong == 0) {
		printk("PASS\n");
	} else {
		printk("FAIL %d\n", wrong);
	}
	return 0;
}
