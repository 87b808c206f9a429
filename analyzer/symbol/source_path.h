/*
 * source_path.h - names of source files as debug information has them, made
 * readable.
 */
#ifndef SYMBOL_SOURCE_PATH_H
#define SYMBOL_SOURCE_PATH_H

/*
 * PATH of a source file, in FOLDER where it is relative (NULL: not known), without
 * what the build put in twice: "/./", "dir/..", and FOLDER in front of a PATH that
 * begins with "./" as FOLDER does: both then begin at the root of the sources
 * ("./malloc" and "./malloc/malloc.c" are ./malloc/malloc.c). Malloc'ed.
 */
char *source_path(const char *folder, const char *path);

#endif
