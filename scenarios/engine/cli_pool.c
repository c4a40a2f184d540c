/*
 * cli_pool.c - loads a pool from a shared library, and looks at it before anything calls it.
 */
#include "scenarios/engine/cli_pool.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "reports/shell.h"
#include "sim/pool_interface.h"

static char option[4200];

const char *scn_pool_option(void) {
  return option;
}

/* What is wrong with the interface; NULL: nothing. */
static const char *check(const struct sim_pool_interface *interface, char *message, size_t size) {
  if (interface == NULL) {
    return SIM_POOL_ENTRY_NAME "() returned NULL; expected the interface";
  }
  if (interface->version != SIM_POOL_INTERFACE_VERSION) {
    snprintf(message, size,
             "expected version %d of the interface, found %d; build it with this program's "
             "sim/pool_interface.h",
             SIM_POOL_INTERFACE_VERSION, interface->version);
    return message;
  }
  if (interface->name == NULL || interface->name[0] == '\0') {
    return "expected a name in the interface; found none";
  }
  if (interface->capabilities >> SIM_CAPABILITY_COUNT != 0) {
    return "expected the capabilities of sim/pool_interface.h; found bits that stand for none";
  }
  int capability;
  const char *function = sim_pool_lacks(interface, &capability);
  if (function != NULL) {
    snprintf(message, size, "expected the function %s, which %s%s needs; found NULL", function,
             capability < 0 ? "every pool" : "the capability ",
             capability < 0 ? "" : sim_capability_name((enum sim_capability)capability));
    return message;
  }
  return NULL;
}

int scn_pool_load(const struct scn_arguments *arguments) {
  const char *path = scn_cli_value(arguments, "--pool");
  if (path == NULL) {
    return 0;
  }
  /* dlopen() would look for a name without a slash in the system's folders. */
  char file[4096];
  int length = snprintf(file, sizeof file, "%s%s", strchr(path, '/') == NULL ? "./" : "", path);
  if (length < 0 || (size_t)length >= sizeof file) {
    return scn_cli_misused(arguments, "--pool: expected a path of less than %zu bytes",
                           sizeof file);
  }
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    return scn_cli_misused(arguments, "--pool: expected a shared library; found: %s", dlerror());
  }
  void *symbol = dlsym(library, SIM_POOL_ENTRY_NAME);
  if (symbol == NULL) {
    return scn_cli_misused(arguments,
                           "--pool: expected that %s exports the function " SIM_POOL_ENTRY_NAME
                           "(); found that it does not",
                           path);
  }
  sim_pool_entry entry;
  memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from void * to a function */
  const struct sim_pool_interface *interface = entry();
  char message[256];
  const char *wrong = check(interface, message, sizeof message);
  if (wrong != NULL) {
    return scn_cli_misused(arguments, "--pool %s: %s", path, wrong);
  }
  sim_pool_put_under_test(interface);
  size_t prefix = (size_t)snprintf(option, sizeof option, " --pool ");
  rep_shell_word(path, option + prefix, sizeof option - prefix);
  return 0; /* the library stays: what it lent is used until the end */
}
