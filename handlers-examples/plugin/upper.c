/*
 * A language for Trine in one file of C. Its name is Upper: a file of it is a greeting, and calling that answers with the
 * greeting and the event in capitals.
 *
 *     cc -std=c99 -shared -fPIC -O2 -I ../../engines/plugin/include -o upper.so upper.c
 */
#include "trine_engine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One heap of the language: the greetings of the files that were loaded into it. */
typedef struct {
    char **greetings;
    uint32_t count;
} heap;

static trine_bytes info(void) {
    static const char json[] =
        "{\"id\": \"upper\", \"name\": \"Upper\", \"version\": \"upper 1.0\", \"extensions\": [\"upper\"]}";
    trine_bytes bytes = {json, sizeof json - 1};
    return bytes;
}

/* Writes a text as the inside of a JSON string, at most six characters for each of its own. Returns where it ends. */
static char *write_text(char *to, const char *text, size_t size) {
    for (size_t at = 0; at < size; at++) {
        unsigned char letter = (unsigned char)text[at];
        if (letter < ' ')
            to += sprintf(to, "\\u%04x", letter);
        else if (letter == '"' || letter == '\\')
            *to++ = '\\', *to++ = (char)letter;
        else
            *to++ = (char)letter;
    }
    return to;
}

/* Makes an error about a file: its kind and message, and the file as the place where it happened. */
static int32_t fail(trine_buffer *out, const char *kind, const char *message, const char *path) {
    out->data = malloc(strlen(kind) + strlen(message) + 6 * strlen(path) + 100);
    char *end = out->data + sprintf(out->data, "{\"kind\": \"%s\", \"message\": \"%s\", \"frames\": [{\"line\": 1, \"file\": \"",
                                    kind, message);
    end = write_text(end, path, strlen(path));
    end += sprintf(end, "\"}]}");
    out->size = (size_t)(end - out->data);
    return TRINE_FAILED;
}

/* Reads the text of a module's member "path": the host writes no white space between members, and escapes quotes and
 * backslashes by a backslash. A real language has a JSON parser. */
static char *path_of(trine_bytes module) {
    char *path = calloc(1, module.size + 1), *to = path;
    char *json = calloc(1, module.size + 1);
    memcpy(json, module.data, module.size);
    const char *from = strstr(json, "\"path\":\"");
    for (from = from ? from + 8 : ""; *from && *from != '"'; from++) {
        if (*from == '\\')
            from++;
        *to++ = *from;
    }
    free(json);
    return path;
}

static int32_t start(trine_bytes environment, const trine_host *host, void **instance, trine_buffer *error) {
    (void)environment, (void)host, (void)error;
    *instance = calloc(1, sizeof(heap));
    return TRINE_OK;
}

static int32_t load(void *instance, trine_bytes module, trine_buffer *out) {
    heap *own = instance;
    char *path = path_of(module), *greeting = calloc(1, 1001);
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(greeting, 1, 1000, file) : 0;
    greeting[strcspn(greeting, "\r\n")] = 0;
    int32_t status = TRINE_OK;
    if (!file) {
        status = fail(out, "import", "the file cannot be read", path);
    } else if (size == 0 || greeting[0] == 0) {
        status = fail(out, "syntax", "a greeting is missing on the first line", path);
    } else {
        own->greetings = realloc(own->greetings, (own->count + 1) * sizeof(char *));
        own->greetings[own->count] = greeting;
        /* Whatever name the handler is asked for by, it is the function with this number. */
        out->data = malloc(64);
        out->size = (size_t)sprintf(out->data, "{\"functions\": {\"*\": %u}}", (unsigned)own->count++);
        greeting = NULL;
    }
    if (file)
        fclose(file);
    free(greeting);
    free(path);
    return status;
}

static int32_t call(void *instance, uint32_t function, const trine_event *event, trine_bytes context, trine_answer *answer) {
    (void)context;
    const char *greeting = ((heap *)instance)->greetings[function];
    char *text = malloc(6 * (strlen(greeting) + event->bytes.size) + 4), *end = text;
    *end++ = '"';
    end = write_text(end, greeting, strlen(greeting));
    *end++ = ' ';
    for (size_t at = 0; at < event->bytes.size; at++) {
        char letter = (char)toupper((unsigned char)event->bytes.data[at]);
        end = write_text(end, &letter, 1);
    }
    *end++ = '"';
    answer->kind = TRINE_JSON;
    answer->bytes.data = text;
    answer->bytes.size = (size_t)(end - text);
    return TRINE_OK;
}

static void end(void *instance) {
    heap *own = instance;
    while (own->count > 0)
        free(own->greetings[--own->count]);
    free(own->greetings);
    free(own);
}

static void free_buffer(trine_buffer buffer) {
    free(buffer.data);
}

const trine_engine *trine_engine_v1(void) {
    static const trine_engine engine = {
        TRINE_ABI_VERSION, sizeof(trine_engine), info, start, load, call, NULL, NULL, end, free_buffer,
    };
    return &engine;
}
