/*
 * test_exponential.c - the distances between samples have the distribution that
 * the weights of the reader suppose.
 */
#include <math.h>

#include "exponential.h"
#include "test.h"

#define DRAWS 1000000

TEST(test_draws_have_the_mean_and_the_variance_of_an_exponential_distribution)
{
	static const uint64_t means[] = { 1024, 16384, 524288, 1 << 30 };

	for (size_t m = 0; m < sizeof(means) / sizeof(means[0]); m++) {
		uint64_t random = exponential_seed(m + 1);
		double mean = (double)means[m], sum = 0, squares = 0;

		for (int i = 0; i < DRAWS; i++) {
			/* rounding up adds half a byte */
			double x = ((double)exponential_draw(&random, means[m]) - 0.5) / mean;

			sum += x;
			squares += x * x;
		}
		sum /= DRAWS;
		squares = squares / DRAWS - sum * sum;
		/* standard errors 1/1000 and sqrt(8)/1000: five of them */
		assert_true(fabs(sum - 1) < 0.005);
		assert_true(fabs(squares - 1) < 0.0142);
	}
}

TEST(test_draws_are_at_most_n_as_often_as_the_readers_weights_suppose)
{
	static const double parts[] = { 0.001, 0.01, 0.1, 0.5, 1, 2, 5 };
	const uint64_t mean = 65536;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint64_t random = exponential_seed(100 + i), limit = (uint64_t)(parts[i] * 65536);
		double p = -expm1(-(double)limit / (double)mean), hits = 0;

		for (int j = 0; j < DRAWS; j++)
			hits += exponential_draw(&random, mean) <= limit;
		assert_true(fabs(hits / DRAWS - p) < 5 * sqrt(p * (1 - p) / DRAWS));
	}
}

TEST(test_draws_and_seeds_are_never_zero)
{
	uint64_t random = exponential_seed(0);

	for (int i = 0; i < 100000; i++)
		assert_true(exponential_draw(&random, 1) >= 1);
	for (uint64_t i = 0; i < 1000; i++)
		assert_true(exponential_seed(i * 0x61c8864680b583ebu) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_draws_have_the_mean_and_the_variance_of_an_exponential_distribution),
		cmocka_unit_test(test_draws_are_at_most_n_as_often_as_the_readers_weights_suppose),
		cmocka_unit_test(test_draws_and_seeds_are_never_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
