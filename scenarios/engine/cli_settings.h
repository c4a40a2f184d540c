/*
 * cli_settings.h - what the options of the commands that run scenarios say.
 */
#ifndef ENGINE_CLI_SETTINGS_H
#define ENGINE_CLI_SETTINGS_H

#include "scenarios/engine/cli.h"
#include "scenarios/engine/live.h"
#include "scenarios/engine/plan.h"

struct scn_settings {
  const char *database; /* NULL: none */
  const char *junit;    /* NULL: none */
  bool quiet;
  struct scn_load_options load;
  size_t jobs;
  wsp_duration wall_limit;
  struct scn_plan_selection selection;
  struct scn_live_options live; /* with selection.live */
  const char *plan_kind; /* the command, and what of its options changes results; set by it */
  const char **tags;     /* on the heap */
};

/* Reads the options that the command has; what was not given is as its help says. Returns 0, or an
 * exit status after what is wrong was said. */
int scn_settings_read(const struct scn_arguments *arguments, struct scn_settings *settings);
void scn_settings_deinit(struct scn_settings *settings);

/* The option --wall-limit alone, for commands that have few others. The same return. */
int scn_settings_wall_limit(const struct scn_arguments *arguments, wsp_duration *wall_limit);

#endif
