/*
 * map_calls.c - every memory system call that is recorded, with usual, odd and wrong
 * arguments, through syscall(2) where libc would change them. Prints nothing: what is
 * looked at is how strace and allotrope print the calls.
 */
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static void maps(char *p)
{
	mmap(0, 65536, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	mmap(0, 65536, RW | 0x40, ANONYMOUS | MAP_GROWSDOWN | MAP_STACK | MAP_LOCKED |
	     MAP_POPULATE | MAP_NONBLOCK, -1, 0);
	mmap(0, 65536, RW, MAP_ANONYMOUS, -1, 0);
	mmap(0, 65536, RW, 0x4 | MAP_ANONYMOUS, -1, 0);
	mmap(0, 65536, RW, 0xf | MAP_ANONYMOUS, -1, 0);
	mmap(0, 65536, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS | 0x10000000, -1, 0);
	mmap(0, 65536, RW, MAP_PRIVATE, 77, 0x3000);
	mmap(0, 2 << 20, RW, ANONYMOUS | MAP_HUGETLB | 30 << 26, -1, 0);
	mmap(0, 0, RW, ANONYMOUS, -1, 0);
	mmap(p, PAGE, PROT_EXEC | PROT_GROWSDOWN | PROT_GROWSUP | 8,
	     ANONYMOUS | MAP_FIXED | MAP_FIXED_NOREPLACE, -1, 0);
}

static void ranges(char *p)
{
	static const int advices[] = { MADV_DONTNEED, 99, 20, 22, MADV_WIPEONFORK, 0 };

	mprotect(p, PAGE, 0x80);
	mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN);
	mprotect(p, PAGE, 0);
	mprotect((void *)1, PAGE, RW);
	for (unsigned i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		madvise(p, PAGE, advices[i]);
	msync(p, PAGE, MS_SYNC);
	msync(p, PAGE, MS_ASYNC | MS_INVALIDATE);
	msync(p, PAGE, 0);
	msync(p, PAGE, 0x40);
	msync(p, PAGE, 0x44);
	mincore((void *)3, PAGE, (void *)p);
	syscall(SYS_pkey_mprotect, p, PAGE, RW, 5);
	remap_file_pages(p, PAGE, 0, 3, 0);
	remap_file_pages(p, PAGE, 1, 3, MAP_NONBLOCK);
}

static void moves(char *p)
{
	syscall(SYS_mremap, p, PAGE, 2 * PAGE, 0, p);
	syscall(SYS_mremap, p, PAGE, 2 * PAGE, 1, p);
	syscall(SYS_mremap, p, PAGE, PAGE, 3, p + 2 * PAGE);
	syscall(SYS_mremap, p + PAGE, PAGE, PAGE, 5, 0);
	syscall(SYS_mremap, p + PAGE, PAGE, PAGE, 0x100, 7);
	syscall(SYS_mremap, p + PAGE, PAGE, PAGE, 0x101, 7);
}

static void locks(char *p)
{
	mlock(p, PAGE);
	syscall(SYS_mlock2, p, PAGE, 1);
	syscall(SYS_mlock2, p, PAGE, 0);
	syscall(SYS_mlock2, p, PAGE, 6);
	munlock(p, PAGE);
	mlockall(0);
	mlockall(0x18);
	mlockall(0x11);
	munlockall();
}

static void shared(void)
{
	int id = shmget(IPC_PRIVATE, PAGE, 0600);
	void *at = shmat(id, 0, SHM_RDONLY);

	shmat(id, (void *)0x12345, SHM_RND | SHM_REMAP | SHM_EXEC | 0x1);
	shmat(id, 0, 0x7);
	shmat(-1, 0, 0);
	shmdt(at);
	shmdt((void *)5);
	shmctl(id, IPC_RMID, 0);
}

static void policies(char *p)
{
	syscall(SYS_mbind, p, PAGE, MPOL_DEFAULT, 0, 0, 0);
	syscall(SYS_mbind, p, PAGE, 99, 0, 0, 0x77);
	syscall(SYS_mbind, p, PAGE, 0x4003, 0, 0, 0x80);
	syscall(SYS_mbind, p, PAGE, 0x8063, 8, 64, 3);
	syscall(SYS_set_mempolicy, MPOL_DEFAULT, 0, 0);
	syscall(SYS_set_mempolicy, 0x8003, 0, 0);
	syscall(SYS_set_mempolicy, 77, 0, 0);
	syscall(SYS_set_mempolicy, 0x10001, 8, 64);
	syscall(SYS_set_mempolicy, MPOL_BIND, 8, 1ul << 40);
	syscall(SYS_set_mempolicy, 0xe000, 0, 5);
	syscall(SYS_set_mempolicy, -1, 0, 0);
	syscall(SYS_get_mempolicy, 0, 0, 0, 0, 0);
	syscall(SYS_get_mempolicy, 0, 0, 0, 0, 8);
	syscall(SYS_get_mempolicy, 0, 0, 0, p, 3);
	syscall(SYS_get_mempolicy, 8, 0, 0, p, 0x17);
	syscall(SYS_get_mempolicy, 0, 16, 64, 0, 0);
	syscall(SYS_migrate_pages, -1, 64, 0, 0);
	syscall(SYS_migrate_pages, 0, 64, 8, 16);
	syscall(SYS_migrate_pages, 0, 0, 0, 0);
	syscall(SYS_move_pages, 0, 0, 0, 0, 0, 0);
	syscall(SYS_move_pages, -1, 1, 0, 0, 0, 4);
	syscall(SYS_move_pages, 0, 1, 8, 16, 24, 7);
	syscall(SYS_move_pages, 0, 1, 0, 0, 0, 0x11);
	syscall(SYS_set_mempolicy_home_node, p, PAGE, 0, 0);
	syscall(SYS_set_mempolicy_home_node, 0, -1ul, -1ul, 5);
}

static void asynchronous(char *p)
{
	syscall(SYS_io_setup, 0, 0);
	syscall(SYS_io_setup, -1, 8);
	syscall(SYS_io_destroy, 0);
	syscall(SYS_io_destroy, 5);
	for (int i = 0; i < 26; i++)
		syscall(SYS_io_uring_register, -1, i, 0, i);
	syscall(SYS_io_uring_register, 3, 0x80000001u, 8, 1);
	syscall(SYS_io_uring_register, -1, 1, p, -1);
}

int main(void)
{
	char *p = mmap(0, 65536, RW, ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	maps(p);
	locks(p + 8 * PAGE);
	ranges(p);
	moves(p);
	shared();
	policies(p);
	asynchronous(p);
	syscall(SYS_munmap, p, 65536);
	syscall(SYS_munmap, 3, 65536);
	syscall(SYS_brk, 1);
	syscall(SYS_madvise, 0, 0, 4);
	return 7;
}
