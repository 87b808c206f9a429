/*
 * block.c - decides at start whether chunk headers may be read (block.h).
 */
#include "block.h"

bool block_is_glibc;

uint32_t block_init(void)
{
	block_is_glibc = real_is_glibc_malloc();
	return block_is_glibc ? FEATURE_GLIBC_MALLOC : 0;
}
