/*
 * A server whose date can be set, for LD_PRELOAD: the wall clock of the program is off by as many nanoseconds as the first
 * eight bytes of the file that SHIFT_TIME_FILE names say at that moment. The monotonic clock stays as it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *shift;
static int (*true_time)(clockid_t, struct timespec *);

__attribute__((constructor)) static void open_shift(void) {
  true_time = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const char *name = getenv("SHIFT_TIME_FILE");
  int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *page = mmap(NULL, sizeof(*shift), PROT_READ, MAP_SHARED, fd, 0);
  if (page != MAP_FAILED) shift = page;
  close(fd);
}

static int64_t now_ns(void) {
  struct timespec now;
  if (!true_time) open_shift();
  true_time(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec + (shift ? *shift : 0);
}

int clock_gettime(clockid_t clock, struct timespec *into) {
  if (!true_time) open_shift();
  if (clock != CLOCK_REALTIME) return true_time(clock, into);
  int64_t now = now_ns();
  into->tv_sec = now / 1000000000LL;
  into->tv_nsec = now % 1000000000LL;
  return 0;
}

int gettimeofday(struct timeval *restrict into, void *restrict zone) {
  (void)zone;
  int64_t now = now_ns();
  into->tv_sec = now / 1000000000LL;
  into->tv_usec = now % 1000000000LL / 1000;
  return 0;
}

time_t time(time_t *into) {
  time_t now = now_ns() / 1000000000LL;
  if (into) *into = now;
  return now;
}
