// late.cc - memory taken and given back after main: by functions of atexit and on_exit, destructors of
// static and thread-local objects, the last destructor of the program itself.
// Prints "well" at the end of main. Blocks of 7001 to 7006 bytes are those of the late ones.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

extern "C" void __libc_freeres(void);

// the compiler may leave out its own malloc whose block is only freed
static void *(*volatile take)(std::size_t) = std::malloc;
static void *kept[2];

struct Owner {
	std::string *text;
	std::size_t late;

	explicit Owner(std::size_t n) : text(new std::string(500, 'x')), late(n) {}
	~Owner()
	{
		delete text;
		std::free(take(late));
	}
};

static Owner global(7001);
thread_local Owner of_thread(7002);

static void at_exit()
{
	std::free(kept[0]);
	std::free(take(7003));
}

static void on_end(int, void *)
{
	std::free(take(7004));
}

// after all others: what the compiler makes of static objects has run
__attribute__((destructor(101))) static void last()
{
	std::free(kept[1]);
	std::free(take(7005));
	__libc_freeres();
	std::free(take(7006));
}

int main()
{
	kept[0] = std::malloc(10);
	kept[1] = std::malloc(10);
	std::atexit(at_exit);
	on_exit(on_end, nullptr);
	std::thread([] { of_thread.text->append("y"); }).join();
	of_thread.text->append("z");
	std::puts("well");
	std::fflush(stdout);
	return 7;
}
