/* What its event asks for, and whether it may: handler.wasm, made by
   clang --target=wasm32-wasi -Os -Wl,--strip-debug -o handler.wasm wasm.c */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char event[4096];

/* Returns the text of a member, which has no escapes in it. */
static const char *member(const char *name, char *text) {
  char key[32];
  snprintf(key, sizeof key, "\"%s\":", name);
  const char *at = strstr(event, key);
  *text = '\0';
  if (at != NULL && (at = strchr(at + strlen(key), '"')) != NULL) sscanf(at + 1, "%255[^\"]", text);
  return text;
}

int main(void) {
  char task[256], path[256], name[256], text[256];
  event[fread(event, 1, sizeof event - 1, stdin)] = '\0';
  member("do", task);
  member("path", path);
  if (strcmp(task, "variable") == 0) {
    const char *value = getenv(member("name", name));
    printf(value == NULL ? "null" : "\"%s\"", value);
    return 0;
  }
  int may = 0;
  if (strcmp(task, "read") == 0) {
    int file = open(path, O_RDONLY);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (length >= 0) {
      text[length] = '\0';
      text[strcspn(text, "\n")] = '\0';
      printf("\"%s\"", text);
      return 0;
    }
  } else if (strcmp(task, "write") == 0) {
    may = open(path, O_WRONLY | O_CREAT, 0600) >= 0;
  } else if (strcmp(task, "remove") == 0) {
    may = unlink(path) == 0;
  }
  /* WASI starts no programs and connects to nobody. */
  printf(may ? "\"done\"" : "\"refused\"");
  return 0;
}
