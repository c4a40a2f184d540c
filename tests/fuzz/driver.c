/*
 * driver.c - runs a fuzz target over a corpus and over mutations of it, the same ones every time.
 *
 * usage: fuzz-NAME [--mutations N] FILE...
 *
 * It searches for nothing; that is what libFuzzer does (tests/fuzz/run.sh). An input that ends the
 * process is left in the file crash-input of the current folder.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include "tests/fuzz/fuzz.h"

enum { MOST_INPUT = 1 << 16 };

__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                                                     unsigned seed);

static uint64_t random_state = 1;

static uint64_t draw(uint64_t below) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state % below;
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) {
  for (uint64_t count = 1 + draw(4); count > 0; count--) {
    size_t at = size == 0 ? 0 : (size_t)draw(size);
    switch (draw(size == 0 ? 1 : 4)) {
      case 0:
        if (size < most) {
          memmove(data + at + 1, data + at, size - at);
          data[at] = (uint8_t)draw(256);
          size++;
        }
        break;
      case 1:
        memmove(data + at, data + at + 1, size - at - 1);
        size--;
        break;
      case 2:
        data[at] ^= (uint8_t)(1 << draw(8));
        break;
      default:
        data[at] = data[draw(size)];
    }
  }
  return size;
}

static const uint8_t *current;
static size_t current_size;

static void keep_input(void) {
  FILE *file = fopen("crash-input", "wb");
  if (file != NULL) {
    fwrite(current, 1, current_size, file);
    fclose(file);
  }
}

static void on_abort(int number) {
  keep_input();
  (void)signal(number, SIG_DFL);
  (void)raise(number);
}

/* A copy of its own size, so that a sanitizer sees what is read behind its end. */
static void run_one(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  if (copy == NULL) {
    abort();
  }
  memcpy(copy, data, size);
  current = data;
  current_size = size;
  LLVMFuzzerTestOneInput(copy, size);
  free(copy);
}

static bool run_file(const char *path, unsigned long mutations) {
  static uint8_t original[MOST_INPUT], data[MOST_INPUT];
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    fprintf(stderr, "%s: expected a file that can be read, found none\n", path);
    return false;
  }
  size_t length = fread(original, 1, sizeof original, file);
  fclose(file);
  run_one(original, length);
  for (unsigned long i = 0; i < mutations; i++) {
    memcpy(data, original, length);
    size_t size = length;
    /* Several on top of each other reach what one alone does not. */
    for (uint64_t more = draw(3); more < 3; more++) {
      size = LLVMFuzzerCustomMutator != NULL
                 ? LLVMFuzzerCustomMutator(data, size, sizeof data, (unsigned)draw(1U << 30))
                 : LLVMFuzzerMutate(data, size, sizeof data);
    }
    run_one(data, size);
  }
  return true;
}

int main(int argc, char **argv) {
  unsigned long mutations = 0, inputs = 0;
  (void)signal(SIGABRT, on_abort);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_set_death_callback(keep_input);
#endif
  int first = 1;
  if (argc > 2 && strcmp(argv[1], "--mutations") == 0) {
    mutations = strtoul(argv[2], NULL, 10);
    first = 3;
  }
  for (int i = first; i < argc; i++) {
    if (!run_file(argv[i], mutations)) {
      return 2;
    }
    inputs += 1 + mutations;
  }
  printf("%lu inputs\n", inputs);
  return inputs == 0 ? 2 : 0;
}
