// throwers.cc - C++ exceptions out of allocation: bad_alloc, a new handler that throws
// through operator new, and (with bump.so) one that malloc itself throws; destructors
// that free on the way. usage: throwers ROUNDS
// Each round takes blocks of 600 bytes in before_throw, 700 in ~Owner, 800 in after_throw.
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <new>

#define NOINLINE __attribute__((noinline, noclone))
#define AFTER_CALL() __asm__ volatile("" ::: "memory")

struct Oops {
	int n;
};

// not the compiler's malloc, which cannot throw and may be left out
static void *(*volatile take)(std::size_t);
static void (*volatile give)(void *);
static int thrown;
static std::size_t too_much = std::size_t(-1) / 4;

struct Owner {
	char *room;
	NOINLINE Owner() : room(static_cast<char *>(take(64))) { AFTER_CALL(); }
	NOINLINE ~Owner()
	{
		give(take(700));
		give(room);
		AFTER_CALL();
	}
};

static void throw_oops()
{
	throw Oops{ ++thrown };
}

NOINLINE static void before_throw(int n)
{
	Owner owner;

	if (n) {
		before_throw(n - 1);
	} else {
		give(take(600));
		if (thrown % 2)
			give(::operator new(too_much));
		else
			give(take(4242));
	}
	AFTER_CALL();
}

NOINLINE static void after_throw(int n)
{
	if (n)
		after_throw(n - 1);
	else
		give(take(800));
	AFTER_CALL();
}

NOINLINE static int one_round(int n)
{
	try {
		before_throw(n % 7);
		return 0;
	} catch (const Oops &oops) {
		after_throw(n % 5);
		return oops.n == thrown;
	} catch (const std::bad_alloc &) {
		after_throw(n % 5);
		thrown++;
		return 1;
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? std::atoi(argv[1]) : 10, caught = 0;
	void (**hook)() = static_cast<void (**)()>(dlsym(RTLD_DEFAULT, "bump_hook"));

	*reinterpret_cast<void **>(const_cast<void *(**)(std::size_t)>(&take)) =
		dlsym(RTLD_DEFAULT, "malloc");
	*reinterpret_cast<void **>(const_cast<void (**)(void *)>(&give)) = dlsym(RTLD_DEFAULT, "free");
	if (hook)
		*hook = throw_oops;
	for (int i = 0; i < rounds; i++) {
		std::set_new_handler(i % 3 ? throw_oops : nullptr);
		if (!hook)
			thrown |= 1;
		caught += one_round(i);
	}
	std::printf("caught %d\n", caught);
	return caught != rounds;
}
