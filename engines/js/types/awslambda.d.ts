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
  }
}
