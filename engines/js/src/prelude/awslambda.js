// The global `awslambda`, with which handlers of Lambda's own Node stream their answers, and keep what is an invocation's.
import { invokeStore } from "ext:trine_prelude/invoke_store.js";
import { HIGH_WATER_MARK, kSetMetadata, STREAMING } from "ext:trine_prelude/response_stream.js";

/** What a stream is that begins with status, headers and cookies. Contract: Lambda function URLs. */
const HTTP_INTEGRATION = "application/vnd.awslambda.http-integration-response";

function streamifyResponse(handler, options) {
  if (typeof handler !== "function") {
    throw new TypeError(`awslambda.streamifyResponse takes a handler, not ${typeof handler}`);
  }
  handler[STREAMING] = "response";
  if (typeof options?.highWaterMark === "number") {
    handler[HIGH_WATER_MARK] = Math.trunc(options.highWaterMark);
  }
  return handler;
}

class HttpResponseStream {
  static from(underlyingStream, prelude) {
    const metadata = JSON.stringify(prelude);
    if (metadata === undefined) {
      throw new TypeError("HttpResponseStream.from takes an object with statusCode, headers and cookies");
    }
    if (typeof underlyingStream[kSetMetadata] === "function") {
      underlyingStream[kSetMetadata](metadata);
      return underlyingStream;
    }
    // Somebody else's, which may stand before ours.
    underlyingStream.setContentType(HTTP_INTEGRATION);
    underlyingStream._onBeforeFirstWrite = (write) => {
      write(metadata);
      write(new Uint8Array(8));
    };
    return underlyingStream;
  }
}

globalThis.awslambda = { streamifyResponse, HttpResponseStream, InvokeStore: invokeStore };

/** Takes it away, where it is not wanted. */
export function hideAwslambda() {
  delete globalThis.awslambda;
}
