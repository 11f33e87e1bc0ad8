/*
 * Plug-ins that are refused, or that fail at their start. What is wrong with one is said by macros of the compiler's command
 * line.
 */
#include "trine_engine.h"

#include <stdlib.h>
#include <string.h>

#ifndef VERSION
#define VERSION TRINE_ABI_VERSION
#endif
#ifndef SIZE
#define SIZE sizeof(trine_engine)
#endif
#ifndef INFO
#define INFO "{\"id\":\"broken\",\"extensions\":[\"broken\"]}"
#endif
#ifndef START
#define START return TRINE_OK
#endif
#ifndef CALL
#define CALL call
#endif

#define FAIL(text)                                \
    do {                                          \
        error->size = strlen(text);               \
        error->data = malloc(error->size);        \
        memcpy(error->data, text, error->size);   \
        return TRINE_FAILED;                      \
    } while (0)

static trine_bytes info(void) {
    static const char json[] = INFO;
    trine_bytes bytes = {json, sizeof json - 1};
    return bytes;
}

static volatile int *volatile nowhere = 0;

static int overflow(volatile char *above) {
    volatile char room[4096];
    room[0] = above ? above[0] : 0;
    return overflow(room) + room[0];
}

static int32_t start(trine_bytes environment, const trine_host *host, void **instance, trine_buffer *error) {
    (void)environment, (void)host, (void)instance, (void)error, (void)nowhere, (void)overflow;
    START;
}

static int32_t load(void *instance, trine_bytes module, trine_buffer *out) {
    (void)instance, (void)module, (void)out;
    return TRINE_FAILED;
}

int32_t call(void *instance, uint32_t function, const trine_event *event, trine_bytes context, trine_answer *answer);
int32_t call(void *instance, uint32_t function, const trine_event *event, trine_bytes context, trine_answer *answer) {
    (void)instance, (void)function, (void)event, (void)context, (void)answer;
    return TRINE_FAILED;
}

static void shutdown_instance(void *instance) {
    (void)instance;
}

static void free_buffer(trine_buffer buffer) {
    free(buffer.data);
}

#ifdef AT_LOAD
__attribute__((constructor)) static void at_load(void) {
    AT_LOAD;
}
#endif

#ifndef ENTRY
#define ENTRY trine_engine_v1
#endif

const trine_engine *ENTRY(void);
const trine_engine *ENTRY(void) {
    static const trine_engine engine = {VERSION, SIZE, info, start, load, CALL, NULL, NULL, shutdown_instance, free_buffer};
#ifdef NO_TABLE
    (void)engine;
    return NULL;
#else
    return &engine;
#endif
}
