/*
 * A slow disk, for LD_PRELOAD: each fsync and fdatasync of the program first waits as many milliseconds as the file that
 * SLOW_FSYNC_FILE names holds at that moment. No such file: no wait.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *file_name;

/* early: some programs move their environment later */
__attribute__((constructor)) static void note_file(void) {
  const char *name = getenv("SLOW_FSYNC_FILE");
  if (name) file_name = strdup(name);
}

static void wait_as_told(void) {
  FILE *file = file_name ? fopen(file_name, "r") : NULL;
  long ms = 0;
  if (!file) return;
  if (fscanf(file, "%ld", &ms) != 1) ms = 0;
  fclose(file);
  struct timespec left = {ms / 1000, (ms % 1000) * 1000000};
  while (ms > 0 && nanosleep(&left, &left) != 0) {
  }
}

int fsync(int fd) {
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  wait_as_told();
  return next(fd);
}

int fdatasync(int fd) {
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  wait_as_told();
  return next(fd);
}
