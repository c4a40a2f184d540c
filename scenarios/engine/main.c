/*
 * main.c - the program poolproof; all that it does is in cli.c, where tests reach it.
 */
#include "scenarios/engine/cli.h"

#include <stdio.h>

#ifndef POOLPROOF_VERSION
#define POOLPROOF_VERSION "unknown"
#endif

int main(int argc, char **argv) {
  /* A line at a time in pipes too: who reads along in a CI log sees what has been done so far. */
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  return scn_cli_main(argc, argv, POOLPROOF_VERSION);
}
