/*
 * The language of the tests. Each line of a file is a function, `name: verb words`, and what the verb says happens at each
 * call. Verbs that break the rules of the interface are here, too.
 */
#include "trine_engine.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 64

typedef struct {
    char name[64], verb[32], words[256], file[1024];
    int line;
} function_t;

typedef struct {
    const trine_host *host;
    atomic_int stop;
    char *environment, *module;
    function_t functions[MOST];
    int count;
    unsigned long calls;
    char type[256];
} instance_t;

static trine_buffer text(const char *format, const char *a, const char *b, int line) {
    trine_buffer buffer;
    size_t room = strlen(format) + strlen(a) + 2 * strlen(b) + 64;
    buffer.data = malloc(room);
    buffer.size = (size_t)snprintf(buffer.data, room, format, a, b, line, b);
    return buffer;
}

static trine_buffer copy(const char *bytes, size_t size) {
    trine_buffer buffer = {malloc(size + 1), size};
    memcpy(buffer.data, bytes, size);
    return buffer;
}

static char *string(trine_bytes bytes) {
    char *copied = malloc(bytes.size + 1);
    memcpy(copied, bytes.data, bytes.size);
    copied[bytes.size] = 0;
    return copied;
}

/* Copies a member's text. No path of a test has a character that JSON escapes. */
static void member(const char *json, const char *name, char *to, size_t room) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *found = strstr(json, key);
    size_t length = 0;
    if (found) {
        found += strlen(key);
        length = strcspn(found, "\"");
        length = length < room ? length : room - 1;
        memcpy(to, found, length);
    }
    to[length] = 0;
}

static trine_bytes info(void) {
    static const char json[] =
        "{\"id\":\"shout\",\"name\":\"Shout\",\"version\":\"shout 1.0\",\"extensions\":[\"shout\",\"sh-out\"],"
        "\"capabilities\":{\"interrupt\":true,\"exact_integers\":true,\"hooks\":true}}";
    trine_bytes bytes = {json, sizeof json - 1};
    return bytes;
}

static int32_t start(trine_bytes environment, const trine_host *host, void **instance, trine_buffer *error) {
    (void)error;
    instance_t *own = calloc(1, sizeof *own);
    own->host = host;
    own->environment = string(environment);
    own->module = calloc(1, 1);
    *instance = own;
    return TRINE_OK;
}

static int32_t load(void *instance, trine_bytes module, trine_buffer *out) {
    instance_t *own = instance;
    char path[1024], line[512], functions[MOST * 96];
    int number = 0, used = 0, first = own->count;
    free(own->module);
    own->module = string(module);
    member(own->module, "path", path, sizeof path);
    FILE *file = fopen(path, "r");
    if (!file) {
        *out = text("{\"kind\":\"import\",\"message\":\"cannot read %s\"}", path, "", 0);
        return TRINE_FAILED;
    }
    used = snprintf(functions, sizeof functions, "{\"functions\":{");
    while (fgets(line, sizeof line, file) && own->count < MOST) {
        function_t *f = &own->functions[own->count];
        number++;
        memset(f, 0, sizeof *f);
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (!strncmp(line, "at-load: ", 9)) { /* What happens while the file is loaded. */
            const char *what = line + 9;
            fclose(file);
            if (!strncmp(what, "crash", 5))
                *(volatile int *)0 = 1;
            while (!strncmp(what, "spin", 4))
                if (own->host->interrupted(own->host->context)) {
                    *out = text("{\"message\":\"stopped\"}", "", "", 0);
                    return TRINE_FAILED;
                }
            *out = copy(what, strcspn(what, "\n"));
            return TRINE_OK;
        }
        if (sscanf(line, "%63[^:]: %31s %255[^\n]", f->name, f->verb, f->words) < 2) {
            fclose(file);
            *out = text("{\"kind\":\"syntax\",\"message\":\"no verb\",\"frames\":[{\"file\":\"%s%s\",\"line\":%d}]}", path, "",
                        number);
            return TRINE_FAILED;
        }
        f->line = number;
        strcpy(f->file, path);
        int known = 0;
        while (known < first && (strcmp(own->functions[known].name, f->name) || strcmp(own->functions[known].file, path)))
            known++;
        if (known == first)
            known = own->count++;
        used += snprintf(functions + used, sizeof functions - used, "%s\"%s\":%d", functions[used - 1] == '{' ? "" : ",",
                         f->name, known);
    }
    fclose(file);
    used += snprintf(functions + used, sizeof functions - used, "}}");
    *out = copy(functions, (size_t)used);
    return TRINE_OK;
}

static int32_t fail(function_t *f, const char *kind, trine_answer *answer) {
    char type[64] = "", message[256] = "", head[512];
    sscanf(f->words, "%63s %255[^\n]", type, message);
    snprintf(head, sizeof head,
             "{\"type\":\"%s\",\"message\":\"%s\",\"kind\":\"%s\",\"frames\":[{\"function\":\"%s\",\"file\":", type, message,
             kind, f->name);
    answer->bytes = text("%s\"%s\",\"line\":%d,\"column\":1}]}", head, f->file, f->line);
    return TRINE_FAILED;
}

static int32_t call(void *instance, uint32_t number, const trine_event *event, trine_bytes context, trine_answer *answer) {
    instance_t *own = instance;
    const trine_host *host = own->host;
    atomic_store(&own->stop, 0);
    if (host->interrupted(host->context))
        atomic_store(&own->stop, 1);
    own->calls++;
    if (number >= (uint32_t)own->count) {
        answer->bytes = text("{\"kind\":\"internal\",\"message\":\"there is no such function%s%s\"}", "", "", 0);
        return TRINE_FAILED;
    }
    function_t *f = &own->functions[number];
    const char *verb = f->verb;
#define IS(name) (strcmp(verb, name) == 0)
    if (IS("say")) { /* The words and the event in capitals, as a text. */
        trine_buffer said = {malloc(strlen(f->words) + 2 * event->bytes.size + 8), 0};
        said.size = (size_t)sprintf(said.data, "\"%s ", f->words);
        for (size_t at = 0; at < event->bytes.size; at++) {
            char letter = event->bytes.data[at];
            if (letter == '"' || letter == '\\')
                said.data[said.size++] = '\\';
            said.data[said.size++] = (char)toupper((unsigned char)letter);
        }
        said.data[said.size++] = '"';
        answer->bytes = said;
    } else if (IS("echo")) {
        answer->kind = event->kind;
        answer->content_type = event->content_type;
        answer->bytes = copy(event->bytes.data, event->bytes.size);
    } else if (IS("give")) {
        answer->bytes = copy(f->words, strlen(f->words));
    } else if (IS("context")) {
        answer->bytes = copy(context.data, context.size);
    } else if (IS("environment")) {
        answer->bytes = copy(own->environment, strlen(own->environment));
    } else if (IS("module")) {
        answer->bytes = copy(own->module, strlen(own->module));
    } else if (IS("raw")) {
        char type[256] = "", words[256] = "";
        sscanf(f->words, "%255s %255[^\n]", type, words);
        strcpy(own->type, strcmp(type, "-") ? type : "");
        answer->kind = TRINE_RAW;
        answer->content_type.data = own->type;
        answer->content_type.size = strlen(own->type);
        answer->bytes = copy(words, strlen(words));
    } else if (IS("nothing")) {
        answer->kind = TRINE_NOTHING;
    } else if (IS("reply")) {
        answer->kind = TRINE_REPLY;
        answer->bytes = copy(f->words, strlen(f->words));
    } else if (IS("get")) { /* A member of context.state. */
        trine_bytes key = {f->words, strlen(f->words)}, value = {0, 0};
        int32_t found = host->get_state(host->context, key, &value);
        answer->bytes = found ? copy(value.data, value.size) : copy("\"none\"", 6);
        return found < 0 ? TRINE_FAILED : TRINE_OK;
    } else if (IS("set")) { /* set KEY JSON */
        char name[64] = "", words[256] = "";
        sscanf(f->words, "%63s %255[^\n]", name, words);
        trine_bytes key = {name, strlen(name)}, value = {words, strlen(words)};
        int32_t status = host->set_state(host->context, key, value);
        answer->bytes = text("%s%s%d", "", "", status);
    } else if (IS("count")) {
        answer->bytes = text("%s%s%d", "", "", (int)own->calls);
    } else if (IS("time")) {
        int64_t left = host->remaining_ms(host->context);
        answer->bytes = text("\"%s\"", left == INT64_MAX ? "unlimited" : left > 0 ? "some" : "none", "", 0);
    } else if (IS("log")) {
        unsigned level = 0;
        char words[256] = "";
        sscanf(f->words, "%u %255[^\n]", &level, words);
        trine_bytes message = {words, strlen(words)}, other = {"other-id", 8}, none = {0, 0};
        host->log(host->context, level, message, event->bytes.size > 4 ? other : none);
        answer->bytes = copy("null", 4);
    } else if (IS("fail")) {
        return fail(f, "guest", answer);
    } else if (IS("fail-as")) { /* fail-as KIND TYPE MESSAGE */
        char kind[32] = "";
        int rest = 0;
        sscanf(f->words, "%31s %n", kind, &rest);
        memmove(f->words, f->words + rest, strlen(f->words + rest) + 1);
        return fail(f, kind, answer);
    } else if (IS("spin")) { /* Until it is interrupted, by the function or by the host's flag. */
        int by_host = strcmp(f->words, "host") == 0;
        while (by_host ? !host->interrupted(host->context) : !atomic_load(&own->stop)) {
        }
        return fail(f, "guest", answer);
    } else if (IS("null")) {
        answer->bytes.size = 5;
    } else if (IS("huge")) {
        answer->bytes = copy("1", 1);
        answer->bytes.size = (size_t)-1;
    } else if (IS("kind")) {
        answer->kind = 77;
    } else if (IS("bad-type")) {
        answer->kind = TRINE_RAW;
        answer->content_type.size = 9;
    } else if (IS("break")) { /* An error that is the words. */
        answer->bytes = copy(f->words, strlen(f->words));
        return 42;
    } else if (IS("bytes")) { /* An error whose message is not UTF-8. */
        answer->bytes = copy("{\"message\":\"a\xff\xfe\"}", 17);
        return TRINE_FAILED;
    } else {
        answer->bytes = text("{\"type\":\"Verb\",\"message\":\"%s is no verb%s\"}", verb, "", 0);
        return TRINE_FAILED;
    }
    return TRINE_OK;
}

static void interrupt(void *instance) {
    atomic_store(&((instance_t *)instance)->stop, 1);
}

static void usage(void *instance, trine_usage *usage) {
    usage->heap_bytes = ((instance_t *)instance)->calls * 1000;
}

static void shutdown_instance(void *instance) {
    instance_t *own = instance;
    trine_bytes message = {"bye", 3}, none = {0, 0};
    own->host->log(own->host->context, TRINE_INFO, message, none);
    free(own->environment);
    free(own->module);
    free(own);
}

static void free_buffer(trine_buffer buffer) {
    free(buffer.data);
}

const trine_engine *trine_engine_v1(void) {
    static const trine_engine engine = {TRINE_ABI_VERSION, sizeof(trine_engine), info,  start,
                                        load,              call,                 interrupt, usage,
                                        shutdown_instance, free_buffer};
    return &engine;
}
