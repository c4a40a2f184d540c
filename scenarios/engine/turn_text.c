/*
 * turn_text.c - tells what a turn would do from what it belongs to.
 */
#include "scenarios/engine/turn_text.h"

#include <inttypes.h>
#include <string.h>

#include "scenarios/engine/agenda.h"
#include "scenarios/engine/leases.h"
#include "scenarios/engine/steps.h"
#include "scenarios/engine/traffic.h"

static void describe_step(struct scn_text *text, const struct scn_step *step, int64_t repetition) {
  scn_text_printf(text, "step %zu: %s", step->index, scn_step_kind_name(step->kind));
  const char *name = step->label != NULL ? step->label : step->target;
  /* A label that the loader has made up ends in the number of its step. */
  if (name != NULL && strchr(name, '@') == NULL) {
    scn_text_append(text, " ");
    scn_text_append(text, name);
    if (repetition > 0) {
      scn_text_printf(text, "#%" PRId64, repetition);
    }
  }
  if (step->conn != NULL) {
    scn_text_append(text, " ");
    scn_text_append(text, step->conn);
  }
}

static void describe_entry(struct scn_text *text, const struct sim_entry *entry) {
  struct fake_happening happening;
  const struct scn_operation *operation;
  if (fake_describe(entry, &happening)) {
    scn_text_append(text, happening.what);
    if (happening.conn[0] != '\0') {
      scn_text_printf(text, " on %s", happening.conn);
    } else {
      scn_text_printf(text, " of account %" PRId64, happening.account);
    }
  } else if ((operation = scn_scheduled_release(entry)) != NULL) {
    scn_text_printf(text, "the release of %s after its hold", operation->record.label);
  } else if ((operation = scn_scheduled_turn(entry)) != NULL) {
    scn_text_printf(text, "the turn after %s", operation->record.label);
  } else {
    scn_text_append(text, "something of the world's own");
  }
}

static void describe_agenda(const struct scn_world *world, struct scn_text *text) {
  int64_t repetition;
  const struct scn_load *load;
  const struct scn_step *step = scn_agenda_step(world, &repetition, &load);
  if (step != NULL) {
    describe_step(text, step, repetition);
  } else {
    scn_text_printf(text, "the next arrival of %s", load == NULL ? "nothing" : load->label);
  }
}

void scn_turn_describe(const struct scn_world *world, const struct scn_turn *turn,
                       struct scn_text *text) {
  switch (turn->kind) {
    case SCN_TURN_ENTRY:
      describe_entry(text, turn->entry);
      break;
    case SCN_TURN_POOL:
      scn_text_append(text, "the pool's own work");
      break;
    case SCN_TURN_AGENDA:
      describe_agenda(world, text);
      break;
    case SCN_TURN_MEMBER:
      describe_step(text, scn_agenda_member(world, turn->member), 0);
      break;
  }
}
