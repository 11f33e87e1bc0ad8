/*
 * A greeting in C. Built in this folder with
 *
 *     cc -O2 -shared -fPIC -fvisibility=hidden -I ../../engines/native/include -o handler.so handler.c
 */
#include "trine_handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finds the text of the member "name" in an object without escapes; returns its length, 0 where there is none. */
static size_t find_name(const uint8_t *event, size_t event_len, const char **name)
{
    static const char key[] = "\"name\"";
    const char *at = (const char *)event, *end = at + event_len;
    for (; (size_t)(end - at) > sizeof key - 1; at++) {
        if (memcmp(at, key, sizeof key - 1) != 0) continue;
        at += sizeof key - 1;
        while (at < end && strchr(" \t\r\n:", *at) != NULL) at++;
        if (at == end || *at != '"') return 0;
        *name = ++at;
        while (at < end && *at != '"' && *at != '\\') at++;
        return at < end && *at == '"' ? (size_t)(at - *name) : 0;
    }
    return 0;
}

static int32_t give(int32_t status, const char *format, size_t length, const char *text, uint8_t **out, size_t *out_len)
{
    size_t room = strlen(format) + length + 1;
    char *bytes = malloc(room);
    if (bytes == NULL) return TRINE_ERROR;
    *out_len = (size_t)snprintf(bytes, room, format, (int)length, text);
    *out = (uint8_t *)bytes;
    return status;
}

int32_t trine_handle(const uint8_t *event, size_t event_len, const uint8_t *context, size_t context_len,
                     uint8_t **out, size_t *out_len)
{
    const char *name = NULL;
    size_t length = find_name(event, event_len, &name);
    (void)context, (void)context_len;
    if (length == 0) {
        static const char error[] = "{\"errorType\": \"BadRequest\", \"errorMessage\": \"a name is missing%.*s\"}";
        return give(TRINE_ERROR, error, 0, "", out, out_len);
    }
    return give(TRINE_OK, "{\"greeting\": \"Hello, %.*s!\"}", length, name, out, out_len);
}

void trine_free(uint8_t *out, size_t out_len)
{
    (void)out_len;
    free(out);
}
