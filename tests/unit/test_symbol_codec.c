/* test_symbol_codec.c - the SYMBOLS payload: as documented, there and back, and hostile. */
#include "symbol/symbol_codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* docs/format.md has these bytes. */
static const uint8_t documented[] = {
	0x02,
	0x04,
	0x02, 0x2f, 0x70,
	0x01, 0x67,
	0x03, 0x61, 0x2e, 0x63,
	0x01, 0x66,
	0x01,
	0x01, 0x02, 0xaa, 0xbb, 0x01,
	0x01,
	0xb4, 0x24,
	0x02,
	0x02, 0x03, 0x07,
	0x04, 0x03, 0x0c,
	0x15,
};

/* What was read, as text. */
struct heard {
	char text[4096];
	int wanted;
};

static int hear_module(const char *path, const uint8_t *build_id, size_t bytes,
		       uint8_t state, void *ctx)
{
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	n += (size_t)snprintf(h->text + n, sizeof(h->text) - n, "%s/%d ", path, state);
	for (size_t i = 0; i < bytes && n + 8 < sizeof(h->text); i++)
		n += (size_t)snprintf(h->text + n, sizeof(h->text) - n, "%02x", build_id[i]);
	return h->wanted;
}

static void hear_row(uint64_t offset, const struct stored_frame *frames,
		     uint32_t count, void *ctx)
{
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	n += (size_t)snprintf(h->text + n, sizeof(h->text) - n, " %lx",
			      (unsigned long)offset);
	for (uint32_t i = 0; i < count && n + 8 < sizeof(h->text); i++)
		n += (size_t)snprintf(h->text + n, sizeof(h->text) - n, "[%.16s %.16s:%u]",
				      frames[i].name ? frames[i].name : "-",
				      frames[i].file ? frames[i].file : "-",
				      frames[i].line);
	n += (size_t)snprintf(h->text + n, sizeof(h->text) - n, "+%lx",
			      (unsigned long)frames[count - 1].into);
}

static const struct symbol_reader reader = { hear_module, hear_row };

static uint8_t *sample(size_t *bytes)
{
	static const struct stored_frame two[] = { { "g", "a.c", 7, 0 }, { "f", "a.c", 12, 0x15 } };
	static const struct stored_frame none[] = { { NULL, NULL, 0, 0 } };
	struct symbol_writer *w = symbol_writer_new();
	uint8_t *payload;

	symbol_writer_module(w, "/p", (const uint8_t *)"\xaa\xbb", 2, 1);
	symbol_writer_row(w, 0x10, none, 1);
	symbol_writer_row(w, 0x1234, two, 2);
	symbol_writer_module(w, "/q", NULL, 0, 3);
	symbol_writer_row(w, UINT64_MAX, two + 1, 1);
	symbol_writer_module(w, "/empty", NULL, 0, 5);
	payload = symbol_writer_finish(w, bytes);
	symbol_writer_free(w);
	return payload;
}

TEST(test_codec_writes_what_is_documented)
{
	static const struct stored_frame frames[] = { { "g", "a.c", 7, 0 }, { "f", "a.c", 12, 0x15 } };
	struct symbol_writer *w = symbol_writer_new();
	size_t bytes;
	uint8_t *payload;

	symbol_writer_module(w, "/p", (const uint8_t *)"\xaa\xbb", 2, 1);
	symbol_writer_row(w, 0x1234, frames, 2);
	payload = symbol_writer_finish(w, &bytes);
	assert_int_equal(bytes, sizeof(documented));
	assert_memory_equal(payload, documented, bytes);
	free(payload);
	symbol_writer_free(w);
}

TEST(test_codec_reads_what_was_written)
{
	struct heard h = { .wanted = 1 };
	size_t bytes;
	uint8_t *payload = sample(&bytes);

	assert_int_equal(symbol_payload_read(payload, bytes, &reader, &h), 0);
	assert_string_equal(h.text,
		"/p/1 aabb 10[- -:0]+0 1234[g a.c:7][f a.c:12]+15"
		"/q/3  ffffffffffffffff[f a.c:12]+15/empty/5 ");
	free(payload);
}

TEST(test_codec_module_that_is_not_wanted_has_no_rows)
{
	struct heard h = { .wanted = 0 };
	size_t bytes;
	uint8_t *payload = sample(&bytes);

	assert_int_equal(symbol_payload_read(payload, bytes, &reader, &h), 0);
	assert_string_equal(h.text, "/p/1 aabb/q/3 /empty/5 ");
	free(payload);
}

TEST(test_codec_without_rows_is_valid)
{
	struct heard h = { .wanted = 1 };
	struct symbol_writer *w = symbol_writer_new();
	size_t bytes;
	uint8_t *payload = symbol_writer_finish(w, &bytes);

	assert_int_equal(bytes, 3);
	assert_int_equal(symbol_payload_read(payload, bytes, &reader, &h), 0);
	free(payload);
	symbol_writer_free(w);
}

TEST(test_codec_payload_cut_anywhere_is_damaged)
{
	size_t bytes;
	uint8_t *payload = sample(&bytes);

	for (size_t cut = 0; cut < bytes; cut++) {
		struct heard h = { .wanted = 1 };
		/* a copy of its own: the sanitizer sees each byte read too far */
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, payload, cut);
		assert_int_equal(symbol_payload_read(copy, cut, &reader, &h), -1);
		free(copy);
	}
	free(payload);
}

TEST(test_codec_any_changed_byte_does_no_harm)
{
	size_t bytes;
	uint8_t *payload = sample(&bytes);

	for (size_t at = 0; at < bytes; at++)
		for (unsigned value = 0; value < 256; value++) {
			struct heard h = { .wanted = 1 };
			uint8_t old = payload[at];

			payload[at] = (uint8_t)value;
			symbol_payload_read(payload, bytes, &reader, &h);
			payload[at] = old;
		}
	free(payload);
}

TEST(test_codec_other_version_is_refused)
{
	struct heard h = { .wanted = 1 };
	uint8_t copy[sizeof(documented)];

	memcpy(copy, documented, sizeof(copy));
	copy[0] = SYMBOLS_VERSION + 1;
	assert_int_equal(symbol_payload_read(copy, sizeof(copy), &reader, &h), -1);
	assert_string_equal(h.text, "");
}

/* As written before version 2: without the last number of each row. */
TEST(test_codec_first_version_is_read)
{
	struct heard h = { .wanted = 1 };
	uint8_t copy[sizeof(documented) - 1];

	memcpy(copy, documented, sizeof(copy));
	copy[0] = 1;
	assert_int_equal(symbol_payload_read(copy, sizeof(copy), &reader, &h), 0);
	assert_string_equal(h.text, "/p/1 aabb 1234[g a.c:7][f a.c:12]+0");
	copy[0] = 0;
	assert_int_equal(symbol_payload_read(copy, sizeof(copy), &reader, &h), -1);
}

TEST(test_codec_huge_counts_are_refused_at_once)
{
	static const uint8_t strings[] = { 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f };
	static const uint8_t modules[] = { 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f };
	static const uint8_t frames[] = { 1, 0, 1, 0, 0, 1, 1, 5, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0 };
	struct heard h = { .wanted = 1 };

	assert_int_equal(symbol_payload_read(strings, sizeof(strings), &reader, &h), -1);
	assert_int_equal(symbol_payload_read(modules, sizeof(modules), &reader, &h), -1);
	assert_int_equal(symbol_payload_read(frames, sizeof(frames), &reader, &h), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codec_writes_what_is_documented),
		cmocka_unit_test(test_codec_reads_what_was_written),
		cmocka_unit_test(test_codec_module_that_is_not_wanted_has_no_rows),
		cmocka_unit_test(test_codec_without_rows_is_valid),
		cmocka_unit_test(test_codec_payload_cut_anywhere_is_damaged),
		cmocka_unit_test(test_codec_any_changed_byte_does_no_harm),
		cmocka_unit_test(test_codec_other_version_is_refused),
		cmocka_unit_test(test_codec_first_version_is_read),
		cmocka_unit_test(test_codec_huge_counts_are_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
