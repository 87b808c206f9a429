/*
 * fuzz_proc.c - target: files of /proc as the library reads them inside the program: maps, smaps,
 * statm, stat. The text is the kernel's, but the names in it are not.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "memory_sample.h"
#include "proc_maps.h"
#include "sysfile.h"
#include "unwind_range.h"

static size_t text_bytes;
static uint64_t text_sum;
static bool is_text_read;

static void hear_text(const char *text, size_t bytes)
{
	text_bytes += bytes;
	for (size_t i = 0; i < bytes; i++)
		text_sum += (uint8_t)text[i] * 31u;
	is_text_read = true;
}

static void hear_anonymous(uint64_t start, uint64_t end)
{
	FUZZ_CHECK(is_text_read);
	text_sum += start ^ end;
}

static void read_maps(long fd, size_t size)
{
	static struct maps_reader r;
	struct maps_line line;
	size_t lines = 0;

	lseek((int)fd, 0, SEEK_SET);
	r.fd = fd;
	r.used = r.next = 0;
	while (maps_next(&r, &line)) {
		FUZZ_CHECK(line.name >= r.text && line.name < r.text + sizeof(r.text));
		FUZZ_CHECK(memchr(line.name, 0, (size_t)(r.text + sizeof(r.text) - line.name)));
		FUZZ_CHECK(!(line.prot & ~(unsigned)(PROT_READ | PROT_WRITE | PROT_EXEC)));
		memory_kind_of(line.name);
		lines++;
	}
	/* the shortest line: "0-0 rwxp 0 0 0" and its end */
	FUZZ_CHECK(lines <= size / 8);
}

static void read_smaps(long fd, size_t size)
{
	const struct memory_listener listener = { hear_text, hear_anonymous };
	struct memory_sample m, alone;

	text_bytes = 0;
	lseek((int)fd, 0, SEEK_SET);
	memory_sample_read(&m, fd, &listener);
	FUZZ_CHECK(text_bytes <= size);
	FUZZ_CHECK(m.heap + m.mapped + m.stack + m.file + m.shmem + m.other == m.rss);
	lseek((int)fd, 0, SEEK_SET);
	memory_sample_read(&alone, fd, NULL);
	FUZZ_CHECK(memcmp(&m, &alone, sizeof(m)) == 0);
}

static void read_small(const char *path, size_t size)
{
	struct memory_sample m;
	struct sysfile_self self;
	char text[512];
	long n = sysfile_read(path, text, sizeof(text));

	FUZZ_CHECK(n >= 0 && (size_t)n <= size && (size_t)n < sizeof(text) && text[n] == '\0');
	memory_sample_totals(&m, text);
	FUZZ_CHECK(m.heap == 0 && m.file == 0);
	FUZZ_CHECK(sysfile_self_parse(&self, text) == (self.threads != 0));
}

static void read_range(int fd, uint64_t address)
{
	struct stack_range found;

	lseek(fd, 0, SEEK_SET);
	if (range_in_text(fd, address, &found))
		FUZZ_CHECK(found.low <= address && address < found.high);
}

int fuzz_proc(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, size);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t address = 0;

	FUZZ_CHECK(fd >= 0);
	memcpy(&address, data, size < 6 ? size : 6);
	read_maps(fd, size);
	read_smaps(fd, size);
	read_small(path, size);
	read_range(fd, address);
	read_range(fd, 0x10800);
	read_range(fd, 0);
	close(fd);
	return 0;
}
