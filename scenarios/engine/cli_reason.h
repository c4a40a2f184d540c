/*
 * cli_reason.h - prints why something did not pass, as a compiler would.
 */
#ifndef ENGINE_CLI_REASON_H
#define ENGINE_CLI_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Prints `failure` (NULL: nothing), ended by a new line. With colours the place is bold, and what
 * was expected and found are told apart; the words are the same without. */
void scn_reason_print(FILE *file, const char *failure, bool color);

/* The place at which it begins, "FILE:LINE:COLUMN", into `buffer`; "" when it has none. */
void scn_reason_place(const char *failure, char *buffer, size_t size);

#endif
