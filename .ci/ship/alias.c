// Starts the binary `trine` beside this program under this program's name, for packages that cannot have links: started
// as `node` or `python3`, the binary is what that name says.

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **arguments) {
  (void)count;
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof "trine");
  if (length > 0) {
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, "trine");
    execv(path, arguments);
  } else {
    strcpy(path, "/proc/self/exe");
  }
  int problem = errno;
  fprintf(stderr, "%s: cannot start %s: %s\n", arguments[0], path, strerror(problem));
  return problem == ENOENT ? 127 : 126;
}
