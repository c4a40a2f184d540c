/*
 * client.c - the pool's transport against the npm package ws (server.js), which it starts and ends.
 *
 *   poolproof-node-tests EXAMPLE SERVER.JS SOAK_SECONDS
 *
 * The environment's NODE_PATH says where the package is. Everything is in real time: nothing here
 * asserts how long something takes.
 */
#define _GNU_SOURCE
#include <CUnit/Basic.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/wire_fixture.h"

enum { SOAKERS = 24, SOAK_MAX_CONNS = 8, LEAST_KILLED = 10 };

static struct {
  const char *example; /* the program wspool-example */
  const char *script;
  long soak_seconds;
  struct wire_rig *rig;
  pid_t node;
  FILE *to_node;
  int port;
} scene;

/* ---- Node ------------------------------------------------------------------------------- */

static bool start_node(int *input, int *output) {
  int to[2];
  int from[2];
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
    return false;
  }
  scene.node = fork();
  if (scene.node == 0) {
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    execlp("node", "node", scene.script, (char *)NULL);
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  *input = to[1];
  *output = from[0];
  return scene.node > 0;
}

/* False: there is no server. */
static bool start(void) {
  int input;
  int output;
  scene.rig = wire_rig_create(&(struct wsp_lws_options){.permessage_deflate = true});
  if (!start_node(&input, &output)) {
    return false;
  }
  scene.to_node = fdopen(input, "w");
  FILE *from_node = fdopen(output, "r");
  cJSON *identity = cJSON_CreateObject();
  cJSON_AddStringToObject(identity, "certificate", scene.rig->identity.certificate);
  cJSON_AddStringToObject(identity, "key", scene.rig->identity.key);
  char *line = cJSON_PrintUnformatted(identity);
  fprintf(scene.to_node, "%s\n", line);
  fflush(scene.to_node);
  cJSON_free(line);
  cJSON_Delete(identity);
  char port[16];
  bool started = fgets(port, sizeof port, from_node) != NULL;
  scene.port = started ? (int)strtol(port, NULL, 10) : 0;
  fclose(from_node);
  return scene.port > 0;
}

static void end(void) {
  fclose(scene.to_node); /* which ends it */
  waitpid(scene.node, NULL, 0);
  wire_rig_destroy(scene.rig);
}

static const char *url_of(const char *path) {
  static char url[128];
  snprintf(url, sizeof url, "wss://localhost:%d/%s", scene.port, path);
  return url;
}

static struct wsp_lease lease_of(const char *path) {
  struct wire_call call = wire_acquire(scene.rig, url_of(path));
  if (call.error != WSP_OK) {
    printf("\n    %s: %s\n", path, call.text);
  }
  CU_ASSERT_EQUAL(call.error, WSP_OK);
  return call.lease;
}

static void let_go(struct wsp_lease lease) {
  wsp_lease_mark_broken(lease, wsp_lws_now());
  wsp_lease_release(lease, wsp_lws_now());
}

static void check_read(struct wsp_lease lease, const char *expected) {
  struct wire_call read = wire_read(scene.rig, lease, 0);
  const char *found = read.message == NULL ? read.text : read.message;
  if (strcmp(found, expected) != 0) {
    printf("\n    expected %.80s, found %.80s\n", expected, found);
  }
  CU_ASSERT_STRING_EQUAL(found, expected);
  wire_call_deinit(&read);
}

/* ---- What it is asked for ---------------------------------------------------------------- */

static void test_headers_go_both_ways(void) {
  const struct wsp_header header = {"X-Asked", "for this"};
  struct wire_call call =
      wire_acquire_with(scene.rig, &(struct wsp_acquire_request){.account = {.id = 1},
                                                                 .url = url_of("headers/x-asked"),
                                                                 .headers = &header,
                                                                 .header_count = 1});
  CU_ASSERT_EQUAL(call.error, WSP_OK);
  CU_ASSERT_STRING_EQUAL(wsp_lease_handshake_header(call.lease, "x-test"), "v1");
  check_read(call.lease, "for this");
  let_go(call.lease);
}

static void test_a_refusal_is_whole(void) {
  static const int statuses[] = {503, 429, 401, 302};
  for (size_t i = 0; i < 4; i++) {
    char path[32];
    char text[64];
    snprintf(path, sizeof path, "refuse/%d", statuses[i]);
    snprintf(text, sizeof text, "dial failed: status=%d: {\"error\":\"busy\"}", statuses[i]);
    struct wire_call call = wire_acquire(scene.rig, url_of(path));
    CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
    CU_ASSERT_EQUAL(call.status, statuses[i]);
    CU_ASSERT_STRING_EQUAL(call.text, text);
    CU_ASSERT_STRING_EQUAL(call.header, "v2");
  }
}

static void test_echoes_of_all_sizes(void) {
  static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, 300000, 8000000};
  struct wsp_lease lease = lease_of("echo");
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    char *text = malloc(sizes[i] + 1);
    memset(text, 'a' + (int)i, sizes[i]);
    text[sizes[i]] = '\0';
    CU_ASSERT_EQUAL(wire_write(scene.rig, lease, text).error, WSP_OK);
    check_read(lease, text);
    free(text);
  }
  let_go(lease);
}

static void test_fragments_and_large_messages(void) {
  char expected[600] = "";
  for (int i = 0; i < 50; i++) {
    sprintf(expected + strlen(expected), "part %d ", i);
  }
  struct wsp_lease lease = lease_of("fragments");
  CU_ASSERT_EQUAL(wire_write(scene.rig, lease, "{}").error, WSP_OK);
  check_read(lease, expected);
  let_go(lease);
  lease = lease_of("large/16777216"); /* the limit */
  CU_ASSERT_EQUAL(wire_write(scene.rig, lease, "{}").error, WSP_OK);
  struct wire_call read = wire_read(scene.rig, lease, 0);
  if (read.length != 16777216) {
    printf("\n    expected 16777216 bytes, found %zu: %s\n", read.length, read.text);
  }
  CU_ASSERT_EQUAL(read.length, 16777216);
  wire_call_deinit(&read);
  let_go(lease);
  lease = lease_of("large/16777217");
  CU_ASSERT_EQUAL(wire_write(scene.rig, lease, "{}").error, WSP_OK);
  CU_ASSERT_EQUAL(wire_read(scene.rig, lease, 0).error, WSP_IO_FAILED);
  let_go(lease);
}

static void test_compression(void) {
  struct wsp_lease lease = lease_of("deflated");
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(wire_write(scene.rig, lease, "{\"a\":\"aaaaaaaaaaaaaaaaaa\"}").error, WSP_OK);
    check_read(lease, "permessage-deflate {\"a\":\"aaaaaaaaaaaaaaaaaa\"}");
  }
  let_go(lease);
}

static void test_pings_both_ways_and_none(void) {
  struct wsp_lease lease = lease_of("echo");
  CU_ASSERT_EQUAL(wire_ping(scene.rig, lease, 0).error, WSP_OK);
  let_go(lease);
  lease = lease_of("ping");
  check_read(lease, "pong are you there");
  let_go(lease);
  lease = lease_of("deaf");
  CU_ASSERT_EQUAL(wire_ping(scene.rig, lease, 100 * WSP_MILLISECOND).error, WSP_DEADLINE_EXCEEDED);
  let_go(lease);
}

static void test_close_codes(void) {
  static const int codes[] = {1000, 1001, 1008, 1011, 3000, 4000, 4999};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    char path[32];
    snprintf(path, sizeof path, "close/%d", codes[i]);
    struct wsp_lease lease = lease_of(path);
    CU_ASSERT_EQUAL(wire_write(scene.rig, lease, "{}").error, WSP_OK);
    CU_ASSERT_EQUAL(wire_read(scene.rig, lease, 0).error, WSP_CONN_CLOSED);
    CU_ASSERT_EQUAL(scene.rig->closed_code, codes[i]);
    CU_ASSERT_STRING_EQUAL(scene.rig->evicted, "as asked");
    let_go(lease);
  }
  struct wsp_lease lease = lease_of("terminate");
  CU_ASSERT_EQUAL(wire_write(scene.rig, lease, "{}").error, WSP_OK);
  CU_ASSERT_EQUAL(wire_read(scene.rig, lease, 0).error, WSP_CONN_CLOSED);
  let_go(lease);
}

/* The example of pool/lws, in three loops. */
static void test_the_example_serves(void) {
  char ca[] = "/tmp/poolproof-ca.XXXXXX";
  char command[512];
  char line[128];
  int answered = 0;
  int fd = mkstemp(ca);
  const char *pem = fake_authority_pem(scene.rig->authority);
  CU_ASSERT_EQUAL_FATAL(write(fd, pem, strlen(pem)), (ssize_t)strlen(pem));
  close(fd);
  snprintf(command, sizeof command, "'%s' --ca %s 3 99 '%s' 2>&1", scene.example, ca,
           url_of("echo"));
  FILE *output = popen(command, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(output);
  while (fgets(line, sizeof line, output) != NULL) {
    answered += strstr(line, ": 33 answered, 0 failed") != NULL ? 1 : 0;
  }
  CU_ASSERT_EQUAL(pclose(output), 0);
  CU_ASSERT_EQUAL(answered, 3);
  unlink(ca);
}

/* ---- Soak ------------------------------------------------------------------------------- */

/* One caller after the other of the same kind: borrow, write, read the same back, give back. */
struct soaker {
  int64_t turns, answered, failed, resolved_twice;
  bool waiting;
  struct wsp_lease lease;
  char json[64];
};

static struct soaker soakers[SOAKERS];
static bool soak_ends;

static void begin_turn(struct soaker *soaker);

static void end_turn(struct soaker *soaker, bool answered) {
  soaker->resolved_twice += soaker->waiting ? 0 : 1;
  soaker->waiting = false;
  soaker->answered += answered ? 1 : 0;
  soaker->failed += answered ? 0 : 1;
  wsp_lease_release(soaker->lease, wsp_lws_now());
  soaker->lease = (struct wsp_lease){0};
  if (!soak_ends) {
    begin_turn(soaker);
  }
}

static void soak_read(void *context, const struct wsp_io_result *result) {
  struct soaker *soaker = context;
  bool answered = result->error == WSP_OK;
  if (answered) { /* nobody else's answer */
    CU_ASSERT_STRING_EQUAL(result->message, soaker->json);
  }
  end_turn(soaker, answered);
}

static void soak_written(void *context, const struct wsp_io_result *result) {
  struct soaker *soaker = context;
  const struct wsp_io_request request = {
      .lease = soaker->lease, .timeout = 5 * WSP_SECOND, .callback = soak_read, .context = soaker};
  if (result->error != WSP_OK || wsp_lease_read(&request, wsp_lws_now(), NULL) != WSP_OK) {
    end_turn(soaker, false);
  }
}

static void soak_acquired(void *context, const struct wsp_acquire_result *result) {
  struct soaker *soaker = context;
  soaker->lease = result->lease;
  const struct wsp_io_request request = {.lease = soaker->lease,
                                         .timeout = 5 * WSP_SECOND,
                                         .json = soaker->json,
                                         .callback = soak_written,
                                         .context = soaker};
  for (int i = 0; result->error == WSP_OK && i < SOAKERS; i++) { /* one borrower a conn */
    const struct soaker *other = &soakers[i];
    CU_ASSERT_FALSE(other != soaker && other->lease.pool != NULL && wsp_lease_valid(other->lease) &&
                    other->lease.slot == soaker->lease.slot &&
                    other->lease.generation == soaker->lease.generation);
  }
  if (result->error != WSP_OK || wsp_lease_write_json(&request, wsp_lws_now(), NULL) != WSP_OK) {
    end_turn(soaker, false);
  }
}

static void begin_turn(struct soaker *soaker) {
  static char url[128];
  snprintf(url, sizeof url, "wss://localhost:%d/mortal", scene.port);
  soaker->turns++;
  soaker->waiting = true;
  snprintf(soaker->json, sizeof soaker->json, "{\"who\":%d,\"turn\":%lld}", (int)(soaker - soakers),
           (long long)soaker->turns);
  const struct wsp_acquire_request request = {
      .account = {.id = 7}, .url = url, .deadline = wsp_lws_now() + 10 * WSP_SECOND};
  if (wsp_acquire(scene.rig->pool, wsp_lws_now(), &request, soak_acquired, soaker, NULL) !=
      WSP_OK) {
    end_turn(soaker, false);
  }
}

static void run_for(wsp_duration time, bool check) {
  wsp_time until = wsp_lws_now() + time;
  wsp_lws_wake(scene.rig->lws);
  while (wsp_lws_now() < until && (check || wsp_pool_pending(scene.rig->pool) > 0)) {
    struct wsp_account_stats stats;
    wsp_lws_run_until(scene.rig->lws, until);
    wsp_account_stats(scene.rig->pool, 7, &stats);
    if (stats.conns + stats.creating > SOAK_MAX_CONNS || stats.leased + stats.idle != stats.conns ||
        stats.creating < 0) {
      CU_FAIL("the pool's books do not hold");
      return;
    }
  }
}

static void test_a_soak_with_conns_killed_at_random(void) {
  struct wsp_metrics before;
  struct wsp_metrics after;
  struct wsp_account_stats stats;
  int64_t turns = 0;
  int64_t answered = 0;
  int64_t failed = 0;
  wsp_pool_metrics(scene.rig->pool, &before);
  int closes = scene.rig->closes;
  for (int i = 0; i < SOAKERS; i++) {
    begin_turn(&soakers[i]);
  }
  run_for(scene.soak_seconds * WSP_SECOND, true);
  for (int i = 0; i < 60 && scene.rig->closes - closes < LEAST_KILLED; i++) {
    run_for(WSP_SECOND, true); /* a busy machine takes longer to get there */
  }
  soak_ends = true;
  run_for(60 * WSP_SECOND, false);
  for (int i = 0; i < SOAKERS; i++) {
    CU_ASSERT_FALSE(soakers[i].waiting);
    CU_ASSERT_EQUAL(soakers[i].resolved_twice, 0);
    turns += soakers[i].turns;
    answered += soakers[i].answered;
    failed += soakers[i].failed;
  }
  wsp_pool_metrics(scene.rig->pool, &after);
  wsp_account_stats(scene.rig->pool, 7, &stats);
  CU_ASSERT_EQUAL(turns, answered + failed);
  CU_ASSERT_EQUAL(after.acquire_total - before.acquire_total, turns);
  CU_ASSERT_EQUAL(stats.leased, 0);
  CU_ASSERT_EQUAL(stats.waiting, 0);
  CU_ASSERT_EQUAL(stats.creating, 0);
  CU_ASSERT_EQUAL(wsp_pool_pending(scene.rig->pool), 0);
  CU_ASSERT_TRUE(failed > 0 && answered > failed);
  printf("%lld turns, %lld failed, %d conns closed ... ", (long long)turns, (long long)failed,
         scene.rig->closes - closes);
}

int main(int argc, char **argv) {
  CU_TestInfo tests[] = {
      {"headers go both ways", test_headers_go_both_ways},
      {"a refusal is whole", test_a_refusal_is_whole},
      {"echoes of all sizes", test_echoes_of_all_sizes},
      {"fragments and large messages", test_fragments_and_large_messages},
      {"compression", test_compression},
      {"pings both ways, and none", test_pings_both_ways_and_none},
      {"close codes", test_close_codes},
      {"the example serves", test_the_example_serves},
      {"a soak with conns killed at random", test_a_soak_with_conns_killed_at_random},
      CU_TEST_INFO_NULL};
  CU_SuiteInfo suites[] = {{"node", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};
  if (argc != 4) {
    fprintf(stderr, "usage: poolproof-node-tests EXAMPLE SERVER.JS SOAK_SECONDS\n");
    return 2;
  }
  scene.example = argv[1];
  scene.script = argv[2];
  scene.soak_seconds = strtol(argv[3], NULL, 10);
  signal(SIGPIPE, SIG_IGN);
  if (!start()) {
    fprintf(stderr,
            "expected the port of `node %s`, found none: are node and the package ws there "
            "(NODE_PATH)?\n",
            scene.script);
    return 3;
  }
  if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) {
    return 3;
  }
  CU_basic_set_mode(CU_BRM_VERBOSE);
  CU_basic_run_tests();
  bool held = CU_get_number_of_failures() == 0 &&
              CU_get_number_of_tests_run() == sizeof tests / sizeof tests[0] - 1;
  CU_cleanup_registry();
  end();
  return held ? 0 : 1;
}
