/* Counts its calls, as a reactor: the instance stays, and with it what it remembers. Whoever calls it makes room for the
   event by `alloc` and reads the answer where `handle` says it is. */

#include <stdint.h>
#include <stdlib.h>

static int calls;
static char answer[32];

__attribute__((export_name("alloc"))) void *make_room(size_t length) { return malloc(length); }

/* Returns the address of the answer in the upper half and its length in the lower one. The event is ours to free. */
__attribute__((export_name("handle"))) uint64_t handle(char *event, size_t length) {
  (void)length;
  free(event);
  static const char start[] = "{\"calls\": ";
  char *end = answer;
  for (const char *at = start; *at != '\0'; ++at) *end++ = *at;
  char digits[12];
  int count = 0;
  for (int left = ++calls; left > 0; left /= 10) digits[count++] = (char)('0' + left % 10);
  while (count > 0) *end++ = digits[--count];
  *end++ = '}';
  return (uint64_t)(uintptr_t)answer << 32 | (uint64_t)(end - answer);
}
