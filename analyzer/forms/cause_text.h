/*
 * cause_text.h - which allocator call made a system call, in words:
 * "malloc(262144) at alloc_size.c:30".
 */
#ifndef FORMS_CAUSE_TEXT_H
#define FORMS_CAUSE_TEXT_H

#include "forms/form.h"

/* Keeps the place last looked up: neighbours mostly have the same. */
struct cause_texts;

/* RUN must have NEED_SYMBOLS. */
struct cause_texts *cause_texts_new(const struct run *run);
void cause_texts_free(struct cause_texts *t);

/*
 * The call CALL of FUNC with call stack STACK (STACK_NONE: unknown, then without a place).
 * CALL NULL: its arguments are not known, "malloc(?)". IS_INNER: see cause_place.
 * Escaped; belongs to T until the next call.
 */
const char *cause_text(struct cause_texts *t, uint8_t func, const struct call *call,
		       stack_id stack, bool is_inner);

/*
 * The place of STACK's allocation site, outside the C++ standard library: "alloc_size.c:30",
 * without a line as frame_text() says it. IS_INNER: the stack begins inside the allocator,
 * at the system call itself; the frames of that object are passed over. Escaped; belongs
 * to T until the next call. NULL: no stack.
 */
const char *cause_place(struct cause_texts *t, stack_id stack, bool is_inner);

#endif
