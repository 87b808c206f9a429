/*
 * libc_keeps - uses what the C library keeps something for until the process ends, and frees
 * all of its own: whatever is live at the end belongs to libc.
 */
#include <dlfcn.h>
#include <iconv.h>
#include <libintl.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <wchar.h>

static void *print(void *arg)
{
	puts("from a thread");
	return arg;
}

static void use_names(void)
{
	time_t now = 0;

	getpwnam("nobody");
	gethostbyname("localhost");
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	localtime(&now);
}

int main(void)
{
	iconv_t conversion;
	pthread_t thread;
	FILE *f;

	setlocale(LC_ALL, "C.UTF-8");
	bindtextdomain("messages", "/tmp");
	textdomain("messages");
	gettext("hello");
	conversion = iconv_open("UTF-16", "ISO-8859-15");
	if (conversion != (iconv_t)-1)
		iconv_close(conversion);
	dlopen("libm.so.6", RTLD_NOW);
	if (!dlopen("libnosuch.so", RTLD_NOW))
		dlerror();
	use_names();
	fwprintf(stderr, L"wide\n");
	f = fopen("/dev/null", "w");
	fprintf(f, "closed again");
	fclose(f);
	pthread_create(&thread, NULL, print, NULL);
	pthread_join(thread, NULL);
	return 0;
}
