/*
 * cut-power FOLDER: from now on nothing reaches the disk of the ext4 or xfs that is mounted there, not even its journal.
 * Once it is mounted again it holds what was synced, and what the kernel happened to have written. For root.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

/* as in linux/fs.h of new kernels, EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN of all: */
#define SHUTDOWN _IOR('X', 125, uint32_t)
#define WITHOUT_FLUSHING_THE_LOG 2

int main(int argc, char **argv) {
  uint32_t how = WITHOUT_FLUSHING_THE_LOG;
  int fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
  if (fd >= 0 && ioctl(fd, SHUTDOWN, &how) == 0) return 0;
  perror("cut-power");
  return 1;
}
