/*
 * trine_handler.h: functions for Trine in C, C++ and whatever else makes a shared library. Version 1 of the interface.
 *
 * A handler is a shared library that exports trine_handle and trine_free:
 *
 *     #include "trine_handler.h"
 *
 *     int32_t trine_handle(const uint8_t *event, size_t event_len,
 *                          const uint8_t *context, size_t context_len,
 *                          uint8_t **out, size_t *out_len)
 *     {
 *         (void)context; (void)context_len;
 *         *out = malloc(event_len);
 *         if (*out == NULL && event_len > 0) return TRINE_ERROR;
 *         memcpy(*out, event, event_len);
 *         *out_len = event_len;
 *         return TRINE_OK;
 *     }
 *
 *     void trine_free(uint8_t *out, size_t out_len) { (void)out_len; free(out); }
 *
 *     cc -O2 -shared -fPIC -fvisibility=hidden -o app.so app.c
 *
 * It is called `app.so` or `app.handler`. What is declared here is exported, also with -fvisibility=hidden.
 *
 * No exception and no longjmp may leave a function of the library: the process ends. In C++, TRINE_GUARD makes an
 * error of an exception. A crash is the process's crash. The time limit of an invocation cannot stop native code: the
 * caller is answered, and the process ends; see trine_warn.
 */
#ifndef TRINE_HANDLER_H
#define TRINE_HANDLER_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define TRINE_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define TRINE_EXPORT __attribute__((visibility("default")))
#else
#define TRINE_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. */
#define TRINE_ABI 1

/* What a function returns: the answer is in `out`. */
#define TRINE_OK 0
/* An error is in `out`. Any number other than TRINE_OK means this. */
#define TRINE_ERROR 1
/* Of trine_hook_before alone: what is in `out` answers the invocation, and no handler is called. */
#define TRINE_REPLY 2

/* What no limit of threads is; see trine_threads. */
#define TRINE_ANY_NUMBER UINT32_MAX

/*
 * Answers one event. Required, unless there are functions of other names.
 *
 * `event` and `context` are texts of JSON that are valid until the function returns. They are not terminated by NUL and
 * never NULL. An event that is not JSON comes as it is; the context's `eventIsJson` is false then.
 *
 * `context` is an object with what is known of these: awsRequestId, invokedFunctionArn, deadlineMs (milliseconds since
 * the epoch), remainingTimeMs, functionName, functionVersion, memoryLimitInMB (a number), logGroupName, logStreamName,
 * traceId, clientContext, identity, tenantId, w3c (an object), eventIsJson, hook (the name, where a hook is called).
 *
 * `*out` is NULL and `*out_len` 0 at first. On success they are the answer: bytes of the type that trine_content_type
 * says, which is JSON in UTF-8 otherwise. An answer without bytes is `null` where it would be JSON. On failure they are
 * either a message, or an object of JSON with errorType, errorMessage, and stackTrace (an array of texts, or of objects
 * with path, line and label). Answers beyond 1 GiB are refused.
 *
 * `app.other` is the function trine_handle_other of app.so, with the same signature. `app.handler`, `app.handle` and
 * `app.so` are trine_handle.
 */
TRINE_EXPORT int32_t trine_handle(const uint8_t *event, size_t event_len, const uint8_t *context, size_t context_len,
                                  uint8_t **out, size_t *out_len);

/* Declares a function of another name: TRINE_HANDLER(other). Also as the head of its definition. */
#define TRINE_HANDLER(name)                                                                                            \
    TRINE_EXPORT int32_t trine_handle_##name(const uint8_t *event, size_t event_len, const uint8_t *context,           \
                                             size_t context_len, uint8_t **out, size_t *out_len)

/*
 * Takes back what a function has put into `out`. Required. Called on the thread that got it, once for each `out` that is
 * not NULL, right after the bytes were copied.
 */
TRINE_EXPORT void trine_free(uint8_t *out, size_t out_len);

/*
 * Prepares the library. Optional. Called before the first call of any of its functions, once however many threads there
 * are; after trine_cleanup once more, if the library is used again.
 *
 * `task_root` is the function's folder, terminated by NUL. `facts` is an object of JSON: abi, taskRoot, layerRoot, file,
 * functionName, functionVersion, memoryLimitInMB, logGroupName, logStreamName, variables (an object: what is set for this
 * function alone and is not in the environment). Returns TRINE_OK, or an error in `out` as trine_handle does: nothing is
 * called then.
 */
TRINE_EXPORT int32_t trine_init(const char *task_root, const uint8_t *facts, size_t facts_len, uint8_t **out,
                                size_t *out_len);

/* Cleans up. Optional. Called when nothing of the process uses the library any more. The library stays loaded. */
TRINE_EXPORT void trine_cleanup(void);

/*
 * Returns how many calls of this library's functions may run at a time, on threads of their own. Optional. Without it,
 * and for 0 and 1, calls come one at a time, on one thread (the process's main thread, where there are several threads).
 * TRINE_ANY_NUMBER sets no limit. Asked once, when the library is loaded, before trine_init.
 */
TRINE_EXPORT uint32_t trine_threads(void);

/*
 * Returns the media type of the answers, terminated by NUL: "text/html; charset=utf-8". Optional; "application/json"
 * otherwise. Asked once, when the library is loaded, before trine_init.
 */
TRINE_EXPORT const char *trine_content_type(void);

/*
 * Hears that the time of an invocation is nearly up. Optional. Called from a thread of its own while a function of this
 * library runs; `request_id` is the context's awsRequestId, terminated by NUL, which may be over by now. The usual reply
 * is to set a flag at which the function looks, so that it gives up with an error. `errorType` "Function.Timeout" says
 * that it did.
 */
TRINE_EXPORT void trine_warn(const char *request_id);

/*
 * The hooks of a middleware that is a shared library; each is optional. Signature as trine_handle. `event` is the event
 * of trine_hook_before, the answer of trine_hook_after, the error's object of trine_hook_error, and `null` of the others.
 * An `out` without bytes leaves the value as it is. See TRINE_REPLY.
 */
TRINE_EXPORT int32_t trine_hook_init(const uint8_t *event, size_t event_len, const uint8_t *context,
                                     size_t context_len, uint8_t **out, size_t *out_len);
TRINE_EXPORT int32_t trine_hook_before(const uint8_t *event, size_t event_len, const uint8_t *context,
                                       size_t context_len, uint8_t **out, size_t *out_len);
TRINE_EXPORT int32_t trine_hook_after(const uint8_t *event, size_t event_len, const uint8_t *context,
                                      size_t context_len, uint8_t **out, size_t *out_len);
TRINE_EXPORT int32_t trine_hook_error(const uint8_t *event, size_t event_len, const uint8_t *context,
                                      size_t context_len, uint8_t **out, size_t *out_len);
TRINE_EXPORT int32_t trine_hook_timeout(const uint8_t *event, size_t event_len, const uint8_t *context,
                                        size_t context_len, uint8_t **out, size_t *out_len);
TRINE_EXPORT int32_t trine_hook_shutdown(const uint8_t *event, size_t event_len, const uint8_t *context,
                                         size_t context_len, uint8_t **out, size_t *out_len);

#ifdef __cplusplus
} /* extern "C" */

#include <cstdlib>
#include <cstring>
#include <exception>

/* Puts a copy of these bytes into `out`, made by malloc: trine_free is then free. Returns `status`. */
inline int32_t trine_give(const char *bytes, size_t length, uint8_t **out, size_t *out_len, int32_t status)
{
    *out = static_cast<uint8_t *>(std::malloc(length == 0 ? 1 : length));
    if (*out == nullptr) return TRINE_ERROR;
    std::memcpy(*out, bytes, length);
    *out_len = length;
    return status;
}

/*
 * Makes errors of what is thrown. The braces hold the function's body, which returns as the function does:
 *
 *     TRINE_GUARD(out, out_len, { return answer(event, event_len, out, out_len); })
 */
#define TRINE_GUARD(out, out_len, ...)                                                                                 \
    try __VA_ARGS__ catch (const std::exception &error) {                                                              \
        return trine_give(error.what(), std::strlen(error.what()), (out), (out_len), TRINE_ERROR);                     \
    } catch (...) {                                                                                                    \
        return trine_give("an exception that is no std::exception", 38, (out), (out_len), TRINE_ERROR);                \
    }
#endif

#endif
