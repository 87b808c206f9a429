// leaks_cxx - objects that nobody deletes: new, new[], containers, names in a namespace.
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace shop {

struct Article {
	std::string name;
	std::vector<int> prices;
	explicit Article(const char *n) : name(n), prices(20, 1) {}
	virtual ~Article() {}
};

template <class T> __attribute__((noinline)) void lose(T *volatile p)
{
	p = nullptr;
}

__attribute__((noinline)) void lose_articles(int count)
{
	for (int i = 0; i < count; i++)
		lose(new Article("an article with a name that is not short"));
}

__attribute__((noinline)) void lose_array()
{
	lose(new double[33]);
}

std::map<int, std::string> *catalogue;   // still reachable

__attribute__((noinline)) void fill(int count)
{
	catalogue = new std::map<int, std::string>;
	for (int i = 0; i < count; i++)
		(*catalogue)[i] = std::string(static_cast<size_t>(i) + 20, 'x');
}

} // namespace shop

int main()
{
	shop::lose_articles(3);
	shop::lose_array();
	shop::fill(5);
	auto freed = std::make_unique<shop::Article>("freed");
	try {
		throw freed->name;
	} catch (const std::string &) {
		return 0;
	}
}
