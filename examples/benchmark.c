/*
 * benchmark.c - one large buffer: what `range(10000000)` would cost a C
 * programmer. Ten million ints in one block of 40,000,000 bytes.
 *
 * Look for: one malloc, one mmap of its own (allotrope ltrace -S), no brk.
 */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	const int count = 10 * 1000 * 1000;
	int *numbers = malloc((size_t)count * sizeof(*numbers));

	if (!numbers) {
		perror("malloc");
		return 1;
	}
	for (int i = 0; i < count; i++)
		numbers[i] = i;
	printf("%d\n", numbers[count - 1]);
	free(numbers);
	return 0;
}
