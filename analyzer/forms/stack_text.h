/*
 * stack_text.h - frames and call stacks in words. What comes from the program
 * is escaped where the text is for people.
 */
#ifndef FORMS_STACK_TEXT_H
#define FORMS_STACK_TEXT_H

#include <jansson.h>

#include "forms/frame_tree.h"

/*
 * "fill_free_list (intobject.c:52)", "PyRange_New (python3.11)" without a line,
 * "libfoo.so+0x1234" without a function; "(no call stack)" for NULL. File and
 * object by their base names. Escaped; the caller's to free.
 */
char *frame_text(const struct symbol_frame *frame);

/*
 * The same in about WIDTH columns: where it is wider, first a C++ function's
 * parameters go, then what stands in template arguments, then the file or object,
 * then the middle. Escaped; the caller's.
 */
char *frame_text_fit(const struct symbol_frame *frame, size_t width);

/* The function; "libfoo.so+0x1234" where it is not known; NULL for NULL. Not escaped; the caller's. */
char *frame_function(const struct symbol_frame *frame);

/* "f1;f2;f3", innermost first, of NODE; a ';' in a name becomes ','. Not escaped; the caller's. */
char *stack_folded(const struct frame_tree *t, frame_node node);

/* The frames of NODE as a JSON array of {function, file, line, module}. */
json_t *stack_json(const struct frame_tree *t, frame_node node);

#endif
