/** What Trine adds to Lambda's handlers and contexts. Use it with `@types/aws-lambda`, or by itself. */

/** What the hooks and the handler of one invocation get, the same object for all of them. */
export interface Context {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly memoryLimitInMB: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly awsRequestId: string;
  readonly invokedFunctionArn: string;
  readonly tenantId?: string;
  readonly xRayTraceId?: string;
  /** What the caller passed beside the event. */
  readonly clientContext?: any;
  /** Who calls, if it is a mobile application. */
  readonly identity?: any;
  callbackWaitsForEmptyEventLoop: boolean;
  /** 900000 where nothing limits the time. */
  getRemainingTimeInMillis(): number;
  /** `traceparent`, `tracestate` and `baggage` to send along with calls, as far as they are known. */
  w3c(): Readonly<Record<string, string>>;
  /** Shared by all functions of the invocation, whatever their language. Its members are read and written in place. */
  readonly state: Record<string, any>;
  /** Aborted with a `TimeoutError` shortly before the deadline. */
  readonly signal: AbortSignal;
  /** Answers the invocation from a `before` hook, once. */
  reply(response: unknown): void;
  /** Asks, from a `before` or `after` hook, for the whole of a response that may be streamed. */
  bufferResponse(): void;
  [key: string]: unknown;
}

type MaybePromise<T> = T | Promise<T>;

/** A piece of an answer: text and bytes as they are, other values as a line of JSON. */
export type Chunk = string | ArrayBufferView | ArrayBuffer | number | boolean | null | object;

/** A result that is given out in pieces. */
export type Streamed =
  | Response
  | ReadableStream
  | AsyncIterable<Chunk>
  | Iterator<Chunk>;

/** The status, headers and cookies of a streamed answer. */
export interface HttpResponseMetadata {
  statusCode?: number;
  headers?: Record<string, string>;
  cookies?: string[];
}

/** What a streaming handler writes its answer to: a `Writable` of Node's. */
export interface ResponseStream {
  readonly writable: boolean;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  readonly writableNeedDrain: boolean;
  readonly writableHighWaterMark: number;
  readonly writableLength: number;
  readonly writableCorked: number;
  readonly writableObjectMode: boolean;
  /** Values other than text and bytes are written as JSON. Returns whether more should be written before `drain`. */
  write(chunk: any, callback?: (error?: Error | null) => void): boolean;
  write(chunk: any, encoding?: string, callback?: (error?: Error | null) => void): boolean;
  end(callback?: () => void): this;
  end(chunk: any, callback?: () => void): this;
  end(chunk: any, encoding?: string, callback?: () => void): this;
  cork(): void;
  uncork(): void;
  destroy(error?: Error): this;
  /** Before the first chunk. */
  setContentType(contentType: string): void;
  on(event: string, listener: (...args: any[]) => void): this;
  once(event: string, listener: (...args: any[]) => void): this;
  off(event: string, listener: (...args: any[]) => void): this;
  emit(event: string, ...args: any[]): boolean;
  [key: string]: any;
}

/** A handler that writes its answer. */
export type StreamingHandler<Event = any> = (
  event: Event,
  responseStream: ResponseStream,
  context: Context,
) => Promise<void>;

/** A function that answers events. */
export type Handler<Event = any, Result = any> = (
  event: Event,
  context: Context,
) => MaybePromise<Result | Streamed>;

/** What a `fetch` handler gets as its second argument: the environment's variables. */
export interface FetchEnvironment {
  [name: string]: any;
  /** The event that the request was made of, where one was. */
  event?: any;
  /** The context of that event. */
  lambdaContext?: Context;
}

/** What a `fetch` handler gets as its third argument. */
export interface ExecutionContext {
  /** Has the call go on until a promise is settled. The response does not wait for it. */
  waitUntil(promise: Promise<unknown>): void;
  /** Does nothing: there is nothing that requests could be passed through to. */
  passThroughOnException(): void;
  readonly props: Record<string, any>;
}

/** A web application: the default export of a module, or its function `fetch`. */
export interface FetchHandler {
  fetch(
    request: Request,
    env: FetchEnvironment,
    ctx: ExecutionContext,
  ): MaybePromise<Response>;
}

/** What a middleware may export. A hook that returns nothing keeps what it was given. */
export interface Middleware {
  /** Before the handler's module is loaded: may patch globals and modules. */
  init?(context: Context): MaybePromise<void>;
  /** May replace the event, or answer with `context.reply`. */
  before?(event: any, context: Context): MaybePromise<unknown>;
  /** May replace the response. */
  after?(response: any, context: Context): MaybePromise<unknown>;
  /** May recover with a response, or return an `Error` that replaces the one it was given. */
  error?(error: any, context: Context): MaybePromise<unknown>;
  /** Shortly before the deadline. */
  timeout?(context: Context): MaybePromise<void>;
  /** At the end of the process. */
  shutdown?(context: Context): MaybePromise<void>;
  /** Returns the function that takes the handler's place. The default export may be this one. */
  wrap?(handler: (event: any, context: Context) => Promise<any>): MaybePromise<Handler>;
}

/** Has a function called around a snapshot of the process. Returns it. */
type RegisterHook = <Args extends unknown[], F extends (...args: Args) => unknown>(
  hook: F,
  ...args: Args
) => F;

declare global {
  /** What a function may ask of its runtime. */
  const trine: {
    /** What runs around a snapshot of the process (SnapStart). Hooks may return promises. */
    readonly snapshot: {
      /** Before the snapshot, the latest registration first. */
      readonly registerBeforeSnapshot: RegisterHook;
      /** In each copy of the process, in the order of registration. */
      readonly registerAfterRestore: RegisterHook;
    };
  };
}
