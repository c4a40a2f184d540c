/*
 * fuzz.h - what a fuzz target is: bytes come in, and nothing may crash, leak or break an invariant.
 *
 * The same sources are linked with libFuzzer (tests/fuzz/run.sh, with clang), which searches, and
 * with driver.c (in the debug build), which repeats a corpus and a fixed number of mutations of it.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Changes `size` bytes of `data`, which has room for `most`; the new size. A target that knows the
 * form of its input has one of its own; `LLVMFuzzerMutate` is the one that knows nothing. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

#endif
