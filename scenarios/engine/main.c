/*
 * main.c - the program poolproof; all that it does is in cli.c, where tests reach it.
 */
#include "scenarios/engine/cli.h"

#ifndef POOLPROOF_VERSION
#define POOLPROOF_VERSION "unknown"
#endif

int main(int argc, char **argv) {
  return scn_cli_main(argc, argv, POOLPROOF_VERSION);
}
