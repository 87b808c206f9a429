/*
 * texts.cc - memory that only the C++ standard library asks for: keep_texts() fills
 * a vector of N long strings (argument), and keeps it.
 */
#include <cstdlib>
#include <string>
#include <vector>

static std::vector<std::string> texts;

__attribute__((noinline)) static void keep_texts(int count)
{
	for (int i = 0; i < count; i++) {
		std::string text("a text that is ");

		text += "longer than what fits into the string itself";
		texts.push_back(text.substr(0, 50));
	}
}

int main(int argc, char **argv)
{
	keep_texts(argc > 1 ? atoi(argv[1]) : 1000);
	return 0;
}
