/*
 * version.h - the program's version and the version of the recording format.
 */
#ifndef ALLOTROPE_VERSION_H
#define ALLOTROPE_VERSION_H

#define ALLOTROPE_VERSION "0.1.0"

/* A reader refuses recordings of another major format version. */
#define FORMAT_VERSION 1

#endif
