/*
 * page_scan.h - which pages of this process have been touched: present in memory and not the
 * shared page of zeros, or swapped out.
 */
#ifndef PRELOAD_PAGE_SCAN_H
#define PRELOAD_PAGE_SCAN_H

#include <stdint.h>

/* Around the scans of one snapshot: opens and closes /proc/self/pagemap. One thread at a time. */
void page_scan_begin(void);
void page_scan_end(void);

/* Call RUN for each run of touched pages in [START, END), by address: [start, end) of whole pages. */
void page_scan(uint64_t start, uint64_t end, void (*run)(uint64_t start, uint64_t end));

#endif
