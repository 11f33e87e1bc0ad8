/* What the binary would take from a glibc newer than 2.34, Amazon Linux 2023's, in a form that 2.34 has. The linker
 * sends calls of a name here (--wrap=name). */
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>

/* Since 2.35 these do not set errno and go by a new version; the old one, a machine's first, is in every glibc. */
#ifdef __aarch64__
#define FIRST "GLIBC_2.17"
#else
#define FIRST "GLIBC_2.2.5"
#endif
__asm__(".symver trine_hypot, hypot@" FIRST);
__asm__(".symver trine_hypotf, hypotf@" FIRST);
extern double trine_hypot(double, double);
extern float trine_hypotf(float, float);

double __wrap_hypot(double x, double y) { return trine_hypot(x, y); }
float __wrap_hypotf(float x, float y) { return trine_hypotf(x, y); }

/* expat's seed of its hash tables. It cannot fail either. */
void __wrap_arc4random_buf(void *buffer, size_t length) {
  unsigned char *rest = buffer;
  while (length > 0) {
    size_t some = length < 256 ? length : 256;
    if (getrandom(rest, some, 0) == (ssize_t)some) {
      rest += some;
      length -= some;
    } else {
      abort();
    }
  }
}
