/*
 * The plug-in interface of Trine, version 1: a language in a shared library.
 *
 * A plug-in exports one function, trine_engine_v1, which returns a table of functions. The host, a process that runs
 * Trine, asks the plug-in what it is (info), starts instances of it (start), has them load the users' files (load) and
 * calls functions in these (call). What crosses is bytes: JSON text in UTF-8, or bytes as they are.
 *
 * Rules that hold for everything in this file:
 *
 * - Bytes are not terminated by NUL and may contain it. Where their size is 0, their address may be NULL.
 * - trine_bytes are lent: whoever gets them may read them until the function returns that they were passed to, unless
 *   another lifetime is said. trine_buffer is given away: the plug-in allocates it, the host reads it and gives it back
 *   through free_buffer, at once and on the same thread.
 * - No exception of C++, no panic of Rust and no longjmp may leave a function of the plug-in. It must not end the process
 *   either (exit, abort): everything that goes wrong is an error.
 * - Readers ignore members of JSON objects that they do not know, and structures grow at their ends, so that a plug-in
 *   that was built with a later header runs in this host, and the other way round. Each side looks at the other's `size`
 *   before it reads a member that version 1.0 of this file did not have. Anything else is another version of the
 *   interface, with a function of another name.
 *
 * It is C99 and C++11. Nobody has to use it: the layout is what counts, and all structures have that of C.
 */
#ifndef TRINE_ENGINE_H
#define TRINE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the interface that this file describes: the value of abi_version, and the number in the name of
 * trine_engine_v1. */
#define TRINE_ABI_VERSION 1

/* What the functions start, load and call return. Any other value counts as TRINE_FAILED. */
#define TRINE_OK 0
#define TRINE_FAILED 1

/* Bytes that are lent. */
typedef struct trine_bytes {
    const char *data;
    size_t size;
} trine_bytes;

/* Bytes that the plug-in has allocated and gives away. The host hands exactly this address and this size to free_buffer,
 * once, and never when the size is 0 and the address NULL. The host sets both to 0 before it calls a function that may
 * fill one in. */
typedef struct trine_buffer {
    char *data;
    size_t size;
} trine_buffer;

/* The kinds of a value, in and out. */
#define TRINE_JSON 0    /* JSON text, UTF-8. Of an event nobody has checked that it is. Of an answer the host checks it. */
#define TRINE_RAW 1     /* Bytes as they are, of a media type. An answer of this kind goes to the caller unseen. */
#define TRINE_NOTHING 2 /* No value: the input of hooks that take none; as a hook's answer: the value stays as it is. */
#define TRINE_REPLY 3   /* Only as the answer of a `before` hook: JSON text that answers the invocation at once. */

/* What a function is called with. */
typedef struct trine_event {
    uint32_t size;            /* sizeof(trine_event), as the host knows it. */
    uint32_t kind;            /* TRINE_JSON, TRINE_RAW or TRINE_NOTHING. */
    trine_bytes bytes;        /* The event; of a hook the event, the response, or the error document. */
    trine_bytes content_type; /* The media type of TRINE_RAW; else empty. */
} trine_event;

/* What came of a call. All members are 0 before it, apart from `size`. */
typedef struct trine_answer {
    uint32_t size;            /* sizeof(trine_answer), as the host knows it. Not to be changed. */
    uint32_t kind;            /* Out: one of the kinds above, if the call has returned TRINE_OK. */
    trine_buffer bytes;       /* Out: the value; if the call has failed, the error as JSON, see trine_engine. */
    trine_bytes content_type; /* Out, with TRINE_RAW: the media type. It stays readable until the next function of this
                                 instance is called. Empty stands for application/octet-stream. */
} trine_answer;

/* What an instance has used. */
typedef struct trine_usage {
    uint32_t size;       /* sizeof(trine_usage), as the host knows it. Not to be changed. */
    uint32_t reserved;   /* 0. */
    uint64_t heap_bytes; /* Out: bytes of the guest's heap; 0 where the language does not count them. */
} trine_usage;

/* The severity of a message. */
#define TRINE_TRACE 0
#define TRINE_DEBUG 1
#define TRINE_INFO 2
#define TRINE_WARN 3
#define TRINE_ERROR 4
#define TRINE_FATAL 5

/* What the host does for an instance. It stays where it is until shutdown has returned. Until then its functions may be
 * called, from any thread where nothing else is said; they return at once, and `context` has to be passed as it is. */
typedef struct trine_host {
    uint32_t abi_version; /* TRINE_ABI_VERSION. */
    uint32_t size;        /* sizeof(trine_host), as the host knows it. */
    void *context;        /* The host's own. */

    /* Writes one message to the log, in the form that the user has set, unless its level is below the lowest that is
     * wanted. `request_id` says which invocation it belongs to; empty stands for the one that the instance runs now. Bytes
     * that are not UTF-8 are replaced. */
    void (*log)(void *context, uint32_t level, trine_bytes message, trine_bytes request_id);

    /* Returns how many milliseconds the running call has left: negative when its time is up, INT64_MAX where nothing
     * limits it or nothing runs. */
    int64_t (*remaining_ms)(void *context);

    /* Returns 1 once the running call has to end because it was interrupted, else 0. A load and a call alone; it is 0 again
     * when the next one begins. It costs as much as reading a variable, so that an interpreter may ask at each backward
     * jump. */
    int32_t (*interrupted)(void *context);

    /* Reads a member of `context.state`, which all functions of an invocation share, whatever their language. Only within
     * `call`, on its thread. Returns 1 and lends JSON text; 0 where there is no such member, or outside of a call; -1 and
     * lends an error, which `call` may return as its own, where the value has no form outside of its language. What is lent
     * stays readable until a function of the host is called again. */
    int32_t (*get_state)(void *context, trine_bytes key, trine_bytes *value);

    /* Writes a member of `context.state`, or removes it where `value` is empty. Only within `call`, on its thread. Returns
     * TRINE_OK; TRINE_FAILED outside of a call, or where the key is not UTF-8 or the value not JSON text. */
    int32_t (*set_state)(void *context, trine_bytes key, trine_bytes value);
} trine_host;

/*
 * A language: the table that trine_engine_v1 returns. It is the same at each call, readable until the end of the process,
 * and never changes. Pointers may be NULL where it is said; everything else has to be there.
 *
 * Instances belong to the thread that has started them, and all functions that take one are called on it, except for
 * interrupt. Other instances may be started and run on other threads at the same time, unless info says on_main_thread.
 *
 * An error is a JSON object, of which `message` alone has to be there:
 *
 *   {
 *     "type": "DivisionByZero",        what callers see as errorType; else a name that goes with `kind`
 *     "message": "a number cannot be divided by 0",
 *     "kind": "guest",                 see below; "guest" when it is absent or not known
 *     "frames": [                      where it happened, innermost first: the user's code alone
 *       {"function": "half", "file": "/var/task/app.upper", "line": 3, "column": 7}
 *     ],
 *     "fatal": false                   true: this instance must not be called again
 *   }
 *
 * Kinds: "guest" (the user's code has failed), "import" (a file is not there or cannot be loaded), "syntax" (it does not
 * parse), "handler-not-found", "unmarshal" (an event that is no input for the language), "marshal" (a result without JSON
 * form), "exit" (the user's code has asked for the process's end; fatal), "timeout" (it was interrupted; fatal),
 * "out-of-memory" (fatal), "unsupported", "internal" (a fault of the plug-in's own; fatal).
 */
typedef struct trine_engine {
    uint32_t abi_version; /* TRINE_ABI_VERSION, as the plug-in was compiled with it. */
    uint32_t size;        /* sizeof(trine_engine), as the plug-in was compiled with it. */

    /* Returns what the language is, as JSON that stays readable until the end of the process:
     *
     *   {
     *     "id": "upper",                   lower-case letters, digits and "-", a letter first; in settings and messages
     *     "name": "Upper",                 the language's name as people write it; else the id
     *     "version": "upper 1.0",          the interpreter and its version; else the id
     *     "extensions": ["upper"],         of its files, without the dot, at least one; also "tar.up" is none: no dots
     *     "capabilities": {                each false when absent
     *       "interrupt": true,             calls end soon after interrupt, or when trine_host.interrupted says so
     *       "memory_limit": false,         heaps stay within the memory_limit of start and load
     *       "exact_integers": false,       integers keep all of their 64 bits on the way in and out
     *       "hooks": true                  files can be middlewares: load is asked for hooks
     *     },
     *     "globals_per_root": false,       whether each root folder has globals of its own within an instance
     *     "instance_per_function": false,  whether each function gets an instance of its own
     *     "on_main_thread": false          whether all instances have to live on the process's main thread
     *   }
     *
     * Starts nothing. May be called from any thread. */
    trine_bytes (*info)(void);

    /* Starts an instance, one heap of the language, on the calling thread, and writes its address to `instance`; NULL is a
     * fine address for a language without any state. If it returns anything but TRINE_OK, there is no instance, and `error`
     * holds the reason. `environment` is JSON:
     *
     *   {
     *     "layer_root": "/opt",            the folder that layers are unpacked to
     *     "function": {"name": …, "version": …, "memory_mb": …, "log_group": …, "log_stream": …},
     *                                      texts; null for what is not known
     *     "log": {"format": "text", "level": "INFO"},       format text or json; level null for the default
     *     "main_thread": true,             whether this is the process's main thread
     *     "shares_process": false,         whether other functions run in the process
     *     "snap_start": false,             whether the platform will take a snapshot of the process
     *     "memory_limit": 134217728,       bytes; null for no limit
     *     "variables": {"STAGE": "test"}   on top of the process's environment
     *   }
     *
     * `host` may be kept and used until shutdown. It may block for as long as starting takes. */
    int32_t (*start)(trine_bytes environment, const trine_host *host, void **instance, trine_buffer *error);

    /* Loads a file: runs its top-level code, unless it was loaded before, and says which functions it has. `module` is JSON
     * with these members in this order, and no white space between them:
     *
     *   {
     *     "root": "/var/task",             the folder in which the file's own imports are looked for first
     *     "path": "/var/task/src/app.upper",
     *     "name": "src/app",               as the user wrote it, for messages
     *     "wanted": "handler",             "handler", "unnamed" (a handler that nobody has named) or "hooks"
     *     "handler": "get",                the name of the handler, with "wanted": "handler" alone; may be empty
     *     "variables": {}, "memory_limit": null      what this root has instead of what start was told
     *   }
     *
     * On TRINE_OK `out` is {"functions": {"get": 0, "put": 1}}: names and numbers from 0 to 4294967295, which call takes from
     * then on. A plug-in may return all functions of the file or the wanted ones alone: the host takes what it wants, and tells
     * what there is where that is missing. The name "*" answers to the name of any handler. Names of hooks are init, before,
     * after, error, timeout and shutdown. The same function has the same number each time. Otherwise `out` is an error. It may block for as long as loading takes. */
    int32_t (*load)(void *instance, trine_bytes module, trine_buffer *out);

    /* Calls a function with an event, and blocks until it has returned. `context` is JSON:
     *
     *   {
     *     "request_id": "…",               the same at every attempt
     *     "deadline_ms": 1767225600000,    since the epoch; null for no limit
     *     "hook": "before",                the hook that this is; null for a handler
     *     "function_name": …, "function_version": …, "memory_mb": …, "log_group": …, "log_stream": …,
     *     "invoked_function_arn": …, "trace_id": …, "tenant_id": …, "client_context": …, "identity": …, "w3c": {…},
     *     "platform": {…}                  what a handler expects as its context that was written for another platform
     *   }
     *
     * From "function_name" on, members are absent where they are not known. Calls of one instance never overlap. */
    int32_t (*call)(void *instance, uint32_t function, const trine_event *event, trine_bytes context,
                    trine_answer *answer);

    /* Asks an instance to end the load or the call that it runs, which then fails with an error of kind "timeout"; code of
     * the user's must not be able to prevent that. Called from any thread, only while one runs, and never at the same time
     * as shutdown or afterwards; must return at once. The load or call may just be beginning or ending: an instance that
     * keeps a flag clears it at the beginning of each and then asks trine_host.interrupted. NULL for languages that ask
     * that function all along, or cannot be interrupted. */
    void (*interrupt)(void *instance);

    /* Writes down what an instance has used. Returns at once. May be NULL. */
    void (*usage)(void *instance, trine_usage *usage);

    /* Ends an instance and frees all that it has. Not called for one that did not start. */
    void (*shutdown)(void *instance);

    /* Takes back a buffer. Called right after the function that gave it, on the same thread. */
    void (*free_buffer)(trine_buffer buffer);
} trine_engine;

#if defined(_WIN32)
#define TRINE_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define TRINE_EXPORT __attribute__((visibility("default")))
#else
#define TRINE_EXPORT
#endif

/* The one function that a plug-in exports, under this name. The host calls it once, and keeps the library until the end of
 * the process. NULL says that the plug-in cannot be used here. */
TRINE_EXPORT const trine_engine *trine_engine_v1(void);

#ifdef __cplusplus
}
#endif

#endif
