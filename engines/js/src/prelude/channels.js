// Messages between a process and those that it has started: what they become on their way, and what cannot be sent. The
// channel itself is in channels.rs.
//
// Deno's code is told that every channel is one for serialized messages. What it writes and reads passes here, where it
// becomes JSON where that is what the channel is for; so both forms behave as in Node, which throws what cannot be sent at
// the sender.
import { core, internals } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";

const { parse, stringify } = JSON;

/** The channels of this isolate, by resource: `isJson`, and whose they are, once that is known. */
const channels = new Map();

/** A message that is ready to be written. */
class Frame {
  constructor(bytes) {
    this.bytes = bytes;
  }
}

let isMended = false;

/** Puts this between Deno's code and the channels. Called before that code looks up its operations. */
function mendChannels(ops) {
  if (isMended) {
    return;
  }
  isMended = true;
  const {
    op_node_child_ipc_pipe: open,
    op_node_ipc_read_advanced: read,
    op_node_ipc_write_advanced: write,
  } = ops;
  ops.op_node_child_ipc_pipe = () => {
    const opened = open();
    if (opened === null || opened === undefined) {
      return opened;
    }
    const [channel, form] = opened;
    toParent = { isJson: form === 0 };
    channels.set(channel, toParent);
    return [channel, 1];
  };
  ops.op_node_ipc_write_advanced = (channel, message, descriptor, fits) =>
    write(
      channel,
      message instanceof Frame ? message.bytes : encode(message, channels.get(channel)?.isJson),
      descriptor,
      fits,
    );
  ops.op_node_ipc_read_advanced = async (channel) => {
    const reading = read(channel);
    // A process may end while it waits for messages.
    core.unrefOpPromise(reading);
    const known = channels.get(channel);
    let frame = null;
    try {
      frame = await reading;
    } finally {
      if (frame === null) {
        channels.delete(channel);
      }
    }
    if (frame === null) {
      // What has come before is on its way to its listeners, who still find the channel connected.
      const { nextTick } = core.loadExtScript("ext:deno_node/_next_tick.ts");
      await new Promise((resolve) => nextTick(resolve));
      if (known.target?.connected === false) {
        throw new core.Interrupted("this side has closed the channel, too");
      }
      return [{ cmd: "NODE_CLOSE" }, null];
    }
    const message = known.isJson ? parse(frame) : deserialize(frame);
    return [message, message?.cmd === "NODE_HANDLE" ? host.takeDescriptor(channel) : null];
  };
}

/** Called before a script that is mended runs; see build/mends.rs. */
internals.trinePrepare = (file, ops) => {
  if (file === "fork.js" || file === "child_process.js") {
    mendChannels(ops);
  }
  if (file === "fork.js") {
    // Options of Deno's, which children would find on their command line.
    ops.op_bootstrap_unstable_args = () => [];
  }
};

/** The channel to the parent. */
let toParent;

/** Lets `process.send` say what cannot be sent. */
export function mendProcess(process) {
  if (toParent !== undefined) {
    toParent.target = process;
    mendSend(process, toParent.isJson);
  }
}

/** Whether messages to the child that is being started are JSON. */
let isJsonNext = true;
/** The channel to that child, once it has one. */
let opened;

/** Starts a child with `start`, which takes the options of `ChildProcess.prototype.spawn`. */
export function startChild(child, options, start) {
  isJsonNext = options?.serialization !== "advanced";
  opened = undefined;
  const isObject = typeof options === "object" && options !== null;
  const result = start(isObject ? { ...options, serialization: "advanced" } : options);
  if (opened !== undefined) {
    opened.target = child;
    mendSend(child, opened.isJson);
    opened = undefined;
  }
  return result;
}

/**
 * Starts a child with a channel of this runtime's instead of Deno's.
 *
 * @param {(options: object) => object} start Deno's function, with the options that it gets
 */
export function startWithChannel(start, options) {
  const { ipc, extraStdio, env } = options;
  if (!(ipc >= 0)) {
    return start(options);
  }
  // Standard streams are none for messages: a channel that is asked for there gets a place of its own.
  const place = ipc < 3 ? extraStdio.length : ipc - 3;
  const pipes = [...extraStdio];
  pipes[place] = "piped";
  const isJson = isJsonNext;
  const given = {
    ...options,
    ipc: -1,
    extraStdio: pipes,
    env: {
      ...env,
      NODE_CHANNEL_FD: String(place + 3),
      NODE_CHANNEL_SERIALIZATION_MODE: isJson ? "json" : "advanced",
    },
  };
  const standard = ["stdin", "stdout", "stderr"][ipc];
  if (standard !== undefined) {
    given[standard] = "null";
  }
  const child = start(given);
  const channel = host.openChannel(child.extraPipeFds[place], isJson);
  child.extraPipeFds[place] = null;
  if (channel !== undefined) {
    opened = { isJson };
    channels.set(channel, opened);
    child.ipcPipeRid = channel;
  }
  return child;
}

function mendSend(target, isJson) {
  const { send } = target;
  target.send = {
    send(message, handle, options, callback) {
      if (typeof handle === "function") {
        [handle, options, callback] = [undefined, undefined, handle];
      } else if (typeof options === "function") {
        [options, callback] = [undefined, options];
      }
      const ready = target.connected ? prepare(message, handle, isJson) : message;
      return Reflect.apply(send, this, [ready, handle, options, callback]);
    },
  }.send;
}

/** What Deno's `send` gets for a message. Throws where that cannot be sent; what is no message at all is left to it. */
function prepare(message, handle, isJson) {
  switch (typeof message) {
    case "bigint": {
      const { ERR_INVALID_ARG_TYPE } = core.loadExtScript("ext:deno_node/internal/errors.ts");
      throw new ERR_INVALID_ARG_TYPE("message", ["string", "object", "number", "boolean"], message);
    }
    case "string":
    case "object":
    case "number":
    case "boolean":
      break;
    default:
      return message;
  }
  if (!handle) {
    return new Frame(encode(message, isJson));
  }
  // It becomes part of another message, which is what is written.
  if (isJson) {
    return parse(textOf(message));
  }
  serialize(message);
  return message;
}

function encode(message, isJson) {
  return isJson ? core.encode(`${textOf(message)}\n`) : serialize(message);
}

/** JSON. What has none, as an object whose `toJSON` gives nothing, is null, as it is within an array. */
function textOf(message) {
  return stringify(message) ?? "null";
}

/** Says of a value that `node:v8` leaves to its users what it is. */
const [IS_VIEW, IS_OTHER] = [0, 1];

let forms;

/** Node's classes for messages. */
function serializers() {
  if (forms === undefined) {
    const { DefaultSerializer, DefaultDeserializer } = core.loadExtScript("ext:deno_node/v8.ts");
    class Serializer extends DefaultSerializer {
      _writeHostObject(object) {
        if (ArrayBuffer.isView(object)) {
          this.writeUint32(IS_VIEW);
          return super._writeHostObject(object);
        }
        this.writeUint32(IS_OTHER);
        this.writeValue({ ...object });
      }
    }
    class Deserializer extends DefaultDeserializer {
      _readHostObject() {
        return this.readUint32() === IS_VIEW ? super._readHostObject() : this.readValue();
      }
    }
    forms = { Serializer, Deserializer };
  }
  return forms;
}

/** The message in the form of V8's serializer, with its length before it. */
function serialize(message) {
  const { Serializer } = serializers();
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(message);
  const body = serializer.releaseBuffer();
  const bytes = new Uint8Array(4 + body.length);
  new DataView(bytes.buffer).setUint32(0, body.length);
  bytes.set(body, 4);
  return bytes;
}

function deserialize(bytes) {
  const { Deserializer } = serializers();
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}
