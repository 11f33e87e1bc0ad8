/* Greets by name, as a command: the event is standard input, and what is printed is the answer. The event is
   `{"name": "Ada"}`, or an HTTP request with `?name=Ada`. A result without `statusCode` becomes the JSON body of a 200, so
   both callers get the same answer. */

#include <stddef.h>
#include <string.h>
#include <unistd.h>

static char event[64 * 1024];

static void print(const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(STDOUT_FILENO, text, length);
    if (written <= 0) _exit(1);
    text += written;
    length -= (size_t)written;
  }
}

/* Returns where the text of a member begins, as JSON has it, and its length. A program of some size has a library for
   this. */
static const char *member(const char *json, const char *name, size_t *length) {
  const char *at = json;
  while ((at = strstr(at, name)) != NULL) {
    at += strlen(name);
    const char *value = at + strspn(at, " \t\r\n");
    if (*value != ':') continue;
    value += 1 + strspn(value + 1, " \t\r\n");
    if (*value != '"') return NULL;
    const char *end = ++value;
    while (*end != '"' && *end != '\0') end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    *length = (size_t)(end - value);
    return value;
  }
  return NULL;
}

int main(void) {
  size_t used = 0;
  ssize_t got;
  while ((got = read(STDIN_FILENO, event + used, sizeof event - 1 - used)) > 0) used += (size_t)got;
  const char *query = strstr(event, "\"queryStringParameters\"");
  const char *name = "world";
  size_t length = strlen(name);
  const char *given = member(query != NULL ? query : event, "\"name\"", &length);
  if (given != NULL) name = given;
  print("{\"message\": \"Hello, ", 20);
  print(name, length);
  print("!\"}\n", 4);
  return 0;
}
