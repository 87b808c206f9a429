/*
 * builds.cc - a program in two versions, for comparisons: lines have moved, one function
 * is new, one is gone, one allocates more, one less, one the same. Recorded by ./record.
 */
#include <cstdlib>
#include <string>
#include <vector>

#ifdef NEW_VERSION
/*
 * So that no line of the new version
 * is where it was.
 */
enum { SESSIONS = 300, ROWS = 100, TABLES = 2 };
#else
enum { SESSIONS = 200, ROWS = 400, TABLES = 2 };
#endif

namespace store {

struct row { char text[120]; };

template <class T> struct table {
	std::vector<T> rows;

	__attribute__((noinline)) void fill(int count)
	{
		for (int i = 0; i < count; i++)
			rows.push_back(T());
	}
};

} /* namespace store */

static void *sessions[SESSIONS];

__attribute__((noinline)) static void open_sessions(int count)
{
	for (int i = 0; i < count; i++)
		sessions[i] = malloc(256);
}

__attribute__((noinline)) static void *settings()
{
	return calloc(10, 48);
}

#ifdef NEW_VERSION
__attribute__((noinline)) static void *make_index()
{
	return malloc(40000);
}
#else
__attribute__((noinline)) static void *make_list()
{
	return malloc(9000);
}
#endif

int main()
{
	store::table<store::row> tables[TABLES];
	void *kept = settings();

	open_sessions(SESSIONS);
	for (auto &t : tables)
		t.fill(ROWS);
#ifdef NEW_VERSION
	void *more = make_index();
#else
	void *more = make_list();
#endif
	for (int i = 0; i < SESSIONS - 50; i++)
		free(sessions[i]);
	free(more);
	free(kept);
	return 0;
}
