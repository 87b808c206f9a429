/*
 * cxx_library.h - which frames are the C++ standard library's: its object, or what
 * the compiler made of its headers in the program's own. Such frames say how memory
 * was asked for (a string grew), not for what.
 */
#ifndef SYMBOL_CXX_LIBRARY_H
#define SYMBOL_CXX_LIBRARY_H

#include <stdbool.h>

#include "symbol/resolve.h"

/*
 * Is FRAME of libstdc++ or libc++? By its object; else by its source file; where
 * that is not known by its name: std::..., __gnu_cxx::...
 */
bool cxx_library_has(const struct symbol_frame *frame);

/* Is FRAME of the loader or the C library, which call a C++ library's start-up code? */
bool c_library_has(const struct symbol_frame *frame);

#endif
