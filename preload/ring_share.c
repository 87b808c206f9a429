/*
 * ring_share.c - one more user in the access control list of the ring (su, runuser,
 * setpriv, a daemon that gives up root and starts helpers). Relies on the list's
 * form in extended attributes, which has been the same since Linux 2.6. Promises that
 * no other file than the mapped ring is touched, whatever its path names by now, and
 * that the ring stays closed to all users who were not given here.
 */
#include "ring_share.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "ring_file.h"
#include "session.h"
#include "sys.h"

#define ACL_NAME "system.posix_acl_access"
#define ACL_VERSION 2u
#define ACL_NO_ID UINT32_MAX
#define ACL_READ_WRITE 6u
#define USERS_MAX 32u
/* Owner, group, mask and others, beside the users. */
#define ENTRIES_MAX (USERS_MAX + 4)
/* Another process may put its list over ours. */
#define ATTEMPTS 3

enum acl_tag {
	ACL_OWNER = 0x01, ACL_USER = 0x02, ACL_GROUP = 0x04, ACL_MASK = 0x10, ACL_OTHERS = 0x20,
};

struct acl_entry {
	uint16_t tag, rights;
	uint32_t id;
};

struct acl {
	uint32_t version;
	struct acl_entry entries[ENTRIES_MAX];
};

struct users {
	uint32_t ids[USERS_MAX];
	size_t count;
	bool is_new;      /* the one asked for was not among them */
};

/* The users in ACL, of BYTES bytes, and USER, ascending as the kernel wants them. */
static struct users users_of(const struct acl *acl, long bytes, uint32_t user)
{
	struct users users = { .is_new = true };
	size_t count = 0, at = 0;

	if (bytes > (long)offsetof(struct acl, entries) && acl->version == ACL_VERSION)
		count = ((size_t)bytes - offsetof(struct acl, entries)) / sizeof(acl->entries[0]);
	for (size_t i = 0; i < count && users.count < USERS_MAX - 1; i++) {
		if (acl->entries[i].tag != ACL_USER)
			continue;
		users.ids[users.count++] = acl->entries[i].id;
		if (acl->entries[i].id == user)
			users.is_new = false;
	}
	if (!users.is_new)
		return users;
	while (at < users.count && users.ids[at] < user)
		at++;
	for (size_t i = users.count++; i > at; i--)
		users.ids[i] = users.ids[i - 1];
	users.ids[at] = user;
	return users;
}

/* FD: read and write for the owner and for USERS, nothing for anybody else. */
static bool acl_write(long fd, const struct users *users)
{
	struct acl acl = { .version = ACL_VERSION };
	struct acl_entry *e = acl.entries;

	*e++ = (struct acl_entry){ ACL_OWNER, ACL_READ_WRITE, ACL_NO_ID };
	for (size_t i = 0; i < users->count; i++)
		*e++ = (struct acl_entry){ ACL_USER, ACL_READ_WRITE, users->ids[i] };
	*e++ = (struct acl_entry){ ACL_GROUP, 0, ACL_NO_ID };
	*e++ = (struct acl_entry){ ACL_MASK, ACL_READ_WRITE, ACL_NO_ID };
	*e++ = (struct acl_entry){ ACL_OTHERS, 0, ACL_NO_ID };
	return !sys_failed(SYS6(fsetxattr, fd, ACL_NAME, &acl, (char *)e - (char *)&acl, 0, 0));
}

void ring_share(uid_t user)
{
	struct stat info;
	bool done = false;
	long fd;

	if (user == 0 || user == (uid_t)-1 || !session.ring ||
	    session.options.follow == FOLLOW_NO)
		return;
	fd = SYS4(openat, AT_FDCWD, session_ring_path(),
		  O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);
	if (sys_failed(fd))
		return;
	if (!sys_failed(SYS2(fstat, fd, &info)) && ring_file_is(&info) && info.st_uid != user)
		for (unsigned i = 0; i < ATTEMPTS && !done; i++) {
			struct acl acl;
			long bytes = SYS4(fgetxattr, fd, ACL_NAME, &acl, sizeof(acl));
			struct users users = users_of(&acl, bytes, user);

			done = !users.is_new || !acl_write(fd, &users);
		}
	SYS1(close, fd);
}
