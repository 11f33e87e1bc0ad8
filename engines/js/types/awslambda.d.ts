/** The global with which handlers write their answers, for those who do not have it from `@types/aws-lambda`. */

import type { HttpResponseMetadata, StreamingHandler } from "./trine.d.ts";

declare global {
  namespace awslambda {
    /** Marks a handler as one that writes its answer. Returns the same function. */
    function streamifyResponse<Event = any>(
      handler: StreamingHandler<Event>,
      options?: { highWaterMark?: number },
    ): StreamingHandler<Event>;
    const HttpResponseStream: {
      /** Lets status, headers and cookies go out before the first chunk. Returns the same stream. */
      from<Stream>(underlyingStream: Stream, prelude: HttpResponseMetadata): Stream;
    };
    /** What is kept for the invocation that the code belongs to. The package `@aws/lambda-invoke-store` gives it out. */
    const InvokeStore: {
      readonly PROTECTED_KEYS: Readonly<
        Record<
          "REQUEST_ID" | "X_RAY_TRACE_ID" | "TENANT_ID" | "TRACEPARENT" | "TRACESTATE" | "BAGGAGE",
          symbol
        >
      >;
      /** Runs `call` with `context` in the place of the invocation's own. */
      run<Result>(context: Record<string | symbol, unknown>, call: () => Result): Result;
      getContext(): Record<string | symbol, unknown> | undefined;
      hasContext(): boolean;
      get<Value = unknown>(key: string | symbol): Value | undefined;
      /** Throws for the keys that are the platform's. */
      set<Value>(key: string | symbol, value: Value): void;
      isProtectedKey(key: string | symbol): boolean;
      /** The request id, `-` outside of invocations. */
      getRequestId(): string;
      getXRayTraceId(): string | undefined;
      getTenantId(): string | undefined;
      getTraceparent(): string | undefined;
      getTracestate(): string | undefined;
      getBaggage(): string | undefined;
    };
  }
}
