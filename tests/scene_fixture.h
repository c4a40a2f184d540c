/*
 * scene_fixture.h - a server of the fakes that keeps what it is told, and a pool that dials it with
 * its own transport. Both loops live in one thread: the server's descriptor is one of those that
 * the pool's loop waits for.
 */
#ifndef TESTS_SCENE_FIXTURE_H
#define TESTS_SCENE_FIXTURE_H

#include "fakes/wire/server.h"
#include "tests/wire_fixture.h"

struct scene {
  struct fake_server *server;
  struct wire_rig *rig;
  struct fake_peer *peer; /* the last that was requested, until it is gone */
  char url[256], header[64], said[64], reason[128];
  size_t length;
  int requests, messages, pings, closes, gone, code;
  bool accepts, echoes, pongs;
};

extern struct scene scene;

/* A new one, which accepts, echoes in fragments, and answers pings. */
void scene_begin(void);
void scene_end(void);
void scene_listen_on(const char *url);
/* Runs both loops until a counter of the scene has come so far. */
void scene_until(const int *counter, int count);

#endif
