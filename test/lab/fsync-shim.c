/*
 * Preloaded into a daemon of the lab: its disk becomes slow, or fails, as the file named by
 * VECHE_LAB_FSYNC says while it runs. A number is milliseconds that each fsync takes longer; "fail"
 * makes each fsync an EIO; "lie" makes it a success that syncs nothing. Anything else, and no file,
 * changes nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REAL, FAIL, LIE };

/* Waits as told; how the call is to go. */
static int weather(void) {
  const char *path = getenv("VECHE_LAB_FSYNC");
  char text[32] = {0};
  int file, milliseconds;
  if (path == NULL || (file = open(path, O_RDONLY | O_CLOEXEC)) < 0) return REAL;
  if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
  close(file);
  if (strncmp(text, "fail", 4) == 0) return FAIL;
  if (strncmp(text, "lie", 3) == 0) return LIE;
  milliseconds = atoi(text);
  if (milliseconds > 0) {
    struct timespec wait = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    nanosleep(&wait, NULL);
  }
  return REAL;
}

static int weathered(int file, int (*real)(int)) {
  switch (weather()) {
    case FAIL: errno = EIO; return -1;
    case LIE: return 0;
    default: return real(file);
  }
}

int fsync(int file) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return weathered(file, real);
}

int fdatasync(int file) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return weathered(file, real);
}
