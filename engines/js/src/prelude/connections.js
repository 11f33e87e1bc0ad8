// What requests of Node's have for a socket: something that looks like one, and for other protocols something that can be
// read and written.
import { core } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";

/** Members that both have: the addresses of their ends, and settings that have no effect. */
const COMMON = {
  get remoteAddress() {
    return this.exchange.peers[1];
  },
  get remotePort() {
    return this.exchange.peers[2];
  },
  get remoteFamily() {
    return familyOf(this.remoteAddress);
  },
  get localAddress() {
    return this.exchange.peers[3];
  },
  get localPort() {
    return this.exchange.peers[4];
  },
  get localFamily() {
    return familyOf(this.localAddress);
  },
  get encrypted() {
    return this.exchange.peers[0] === "https" ? true : undefined;
  },
  get server() {
    return this.exchange.server;
  },
  address() {
    return { address: this.localAddress, family: this.localFamily, port: this.localPort };
  },
  getPeerCertificate() {
    return {};
  },
  setNoDelay() {
    return this;
  },
  setKeepAlive() {
    return this;
  },
  ref() {
    return this;
  },
  unref() {
    return this;
  },
};

function familyOf(address) {
  return address === undefined ? undefined : address.includes(":") ? "IPv6" : "IPv4";
}

/** Has this prototype have them. */
function addCommon(prototype) {
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(COMMON))) {
    Object.defineProperty(prototype, name, { ...descriptor, enumerable: false });
  }
}

/** The end of what an upgraded connection's writer says before it speaks its own protocol. */
const END_OF_HEAD = "\r\n\r\n";

/** Defines the classes, which are loaded with Node's streams. */
export function defineConnections() {
  const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");
  const { Duplex } = core.createLazyLoader("node:stream")();
  const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");

  /** What a request and its response have for a socket. */
  class Connection extends EventEmitter {
    exchange;
    destroyed = false;
    readable = true;
    writable = true;
    timeout = 0;
    /** The response, for as long as it is not complete. */
    _httpMessage = null;
    _paused = false;
    _timer;

    constructor(exchange) {
      super();
      this.exchange = exchange;
    }

    get writableLength() {
      return this.exchange.pending;
    }

    /** The request is read. */
    resume() {
      this.exchange.read();
      return this;
    }

    pause() {
      return this;
    }

    cork() {}

    uncork() {}

    /** Nobody writes to it but its response. */
    write(_data, encoding, callback) {
      const called = typeof encoding === "function" ? encoding : callback;
      called?.();
      return true;
    }

    end() {
      return this;
    }

    destroySoon() {
      this.destroy();
    }

    destroy(error) {
      this.exchange.disconnect(error);
      return this;
    }

    setTimeout(time, callback) {
      clearTimeout(this._timer);
      this.timeout = time;
      if (typeof callback === "function") {
        time === 0 ? this.removeListener("timeout", callback) : this.once("timeout", callback);
      }
      if (time > 0 && this.writable) {
        this._timer = setTimeout(() => this.#expire(), time);
        this._timer.unref?.();
      }
      return this;
    }

    #expire() {
      const { request, response } = this.exchange;
      const isHeard = [this.emit("timeout"), request.emit("timeout", this), response.emit("timeout", this)];
      if (!isHeard.includes(true)) {
        this.destroy();
      }
    }

    /** There is no more to be sent. */
    release() {
      clearTimeout(this._timer);
      this._httpMessage = null;
      this.writable = false;
      this.readable = false;
    }
  }
  const { prototype } = Connection;
  addCommon(prototype);
  const facts = {
    connecting: false,
    pending: false,
    readyState: "open",
    readableHighWaterMark: 65536,
    writableHighWaterMark: 65536,
    // So that nobody corks it.
    writableCorked: 1,
    readableFlowing: true,
    readableEnded: false,
    writableEnded: false,
    writableFinished: false,
    bytesRead: 0,
    bytesWritten: 0,
    _writableState: { corked: 0, needDrain: false },
    _readableState: { flowing: true },
  };
  for (const [name, value] of Object.entries(facts)) {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }

  /** A connection for another protocol. The response's head is what is written to it first. */
  class RawSocket extends Duplex {
    exchange;
    #isRefused = false;
    #head = Buffer.alloc(0);
    #isBegun = false;
    timeout = 0;

    constructor(exchange) {
      super({ allowHalfOpen: false });
      this.exchange = exchange;
      host.webBody(exchange.slot);
      this.on("error", () => {});
    }

    setTimeout() {
      return this;
    }

    destroySoon() {
      this.writable ? this.end() : this.destroy();
    }

    _read() {
      if (this.exchange.over || !host.webRead(this.exchange.slot)) {
        this.push(null);
      }
    }

    /** Bytes from the client, or their end. */
    hear(chunk, failure) {
      if (failure !== undefined) {
        this.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
      } else if (chunk === null) {
        this.push(null);
      } else {
        this.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      }
    }

    _write(chunk, _encoding, callback) {
      try {
        this.#send(chunk, callback);
      } catch (error) {
        callback(error);
      }
    }

    #send(chunk, callback) {
      let data = chunk;
      if (!this.#isBegun) {
        this.#head = Buffer.concat([this.#head, chunk]);
        const end = this.#head.indexOf(END_OF_HEAD);
        if (end === -1) {
          callback();
          return;
        }
        this.#begin(this.#head.toString("latin1", 0, end));
        data = this.#head.subarray(end + END_OF_HEAD.length);
      }
      const { sink } = this.exchange;
      if (data.length === 0 || sink.write(data)) {
        callback();
      } else {
        sink.whenReady(() => callback(sink.gone));
      }
    }

    #begin(text) {
      const [first, ...lines] = text.split(/\r?\n/);
      const [, status, reason] = /^HTTP\/\d\.\d (\d{3})(?: (.*))?$/.exec(first) ?? [];
      if (status === undefined) {
        throw new Error(
          `the application answered a request for another protocol with ${JSON.stringify(first)}, which is no head of a response`,
        );
      }
      let fields = "";
      for (const line of lines) {
        const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*)$/.exec(line) ?? [];
        if (name !== undefined) {
          fields += `${name}\n${value.trimEnd()}\n`;
        }
      }
      this.#isRefused = status !== "101";
      this.exchange.begin(Number(status), reason, fields);
      this.#isBegun = true;
    }

    _final(callback) {
      if (this.#isBegun) {
        this.exchange.sink.end();
        this.exchange.complete = true;
      }
      callback();
      if (this.#isRefused) {
        // There is nothing more that the client could say.
        this.destroy();
      }
    }

    _destroy(error, callback) {
      const { exchange } = this;
      host.webDrop(exchange.slot);
      if (this.#isBegun) {
        exchange.sink.end();
      } else if (!exchange.gone) {
        exchange.failure ??= [error ?? exchange.destroyedError()];
      }
      callback(error);
      exchange.complete = true;
      exchange.check();
    }
  }
  addCommon(RawSocket.prototype);
  return { Connection, RawSocket };
}
