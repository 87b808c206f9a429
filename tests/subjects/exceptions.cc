// exceptions.cc - C++ exceptions thrown through frames that allocate, and new and
// delete in all their forms. Prints "caught N" and the object whose unwinder threw.
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <unwind.h>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

struct alignas(64) Wide {
	char bytes[128];
};

static int deep(int n)
{
	std::string text(100, 'x');
	std::vector<int> numbers(50, n);

	if (n == 0)
		throw std::runtime_error(text);
	return deep(n - 1) + numbers[0];
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? std::atoi(argv[1]) : 100, caught = 0;

	for (int i = 0; i < rounds; i++) {
		try {
			deep(10);
		} catch (const std::exception &) {
			caught++;
		}
		delete new Wide;
		delete[] new int[10];
		delete new (std::nothrow) long;
	}
	Dl_info info;
	dladdr(reinterpret_cast<void *>(&_Unwind_RaiseException), &info);
	const char *slash = std::strrchr(info.dli_fname, '/');
	std::printf("caught %d by %s\n", caught, slash ? slash + 1 : info.dli_fname);
	return 0;
}
