/*
 * failing_disk.c - stands before the C library's calls that change files (LD_PRELOAD), counts those
 * that a database's file and its journal get, and lets one of them go wrong.
 *
 * FAILING_DISK=kill:N     the process is killed (SIGKILL) in place of the N-th such call
 * FAILING_DISK=full:N     the N-th and all later ones that need room fail: no space left
 * FAILING_DISK=count:FILE writes how many there were into FILE at the end
 *
 * So a test reaches every moment at which what lies on the disk changes, and always the same one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum disk_fault { DISK_NONE, DISK_KILL, DISK_FULL, DISK_COUNT };

static enum disk_fault fault;
static long moment;
static const char *count_path;
static long calls;
static pid_t counting_process;

static void write_count(void) {
  FILE *file = count_path != NULL && getpid() == counting_process ? fopen(count_path, "w") : NULL;
  if (file != NULL) {
    fprintf(file, "%ld\n", calls);
    fclose(file);
  }
}

__attribute__((constructor)) static void read_fault(void) {
  const char *text = getenv("FAILING_DISK");
  counting_process = getpid();
  if (text != NULL && strncmp(text, "kill:", 5) == 0) {
    fault = DISK_KILL;
    moment = strtol(text + 5, NULL, 10);
  } else if (text != NULL && strncmp(text, "full:", 5) == 0) {
    fault = DISK_FULL;
    moment = strtol(text + 5, NULL, 10);
  } else if (text != NULL && strncmp(text, "count:", 6) == 0) {
    fault = DISK_COUNT;
    count_path = text + 6;
    atexit(write_count);
  }
}

/* Counts a call. True: the disk is full from now on. */
static int is_struck(void) {
  calls++;
  if (fault == DISK_KILL && calls == moment) {
    raise(SIGKILL);
  }
  return fault == DISK_FULL && calls >= moment;
}

static void *original(const char *name) {
  return dlsym(RTLD_NEXT, name);
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset) {
  static ssize_t (*call)(int, const void *, size_t, off64_t);
  if (call == NULL) {
    *(void **)&call = original("pwrite64");
  }
  if (is_struck()) {
    errno = ENOSPC;
    return -1;
  }
  return call(file, bytes, size, offset);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset) {
  return pwrite64(file, bytes, size, offset);
}

/* Neither of these needs room: they can only be the last thing that a process does. */
int ftruncate64(int file, off64_t size) {
  static int (*call)(int, off64_t);
  if (call == NULL) {
    *(void **)&call = original("ftruncate64");
  }
  (void)is_struck();
  return call(file, size);
}

int ftruncate(int file, off_t size) {
  return ftruncate64(file, size);
}

int unlink(const char *path) {
  static int (*call)(const char *);
  if (call == NULL) {
    *(void **)&call = original("unlink");
  }
  (void)is_struck();
  return call(path);
}

int fdatasync(int file) {
  static int (*call)(int);
  if (call == NULL) {
    *(void **)&call = original("fdatasync");
  }
  (void)is_struck();
  return call(file);
}

int fsync(int file) {
  static int (*call)(int);
  if (call == NULL) {
    *(void **)&call = original("fsync");
  }
  (void)is_struck();
  return call(file);
}
