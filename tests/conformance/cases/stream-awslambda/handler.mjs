import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

const answers = {
  async writes(stream) {
    stream.setContentType("text/html");
    const { write, end } = stream;
    write("<p>");
    write({ a: 1 });
    end("</p>");
  },
  pipes: (stream) => pipeline(Readable.from(["a", "b"]), stream),
  web: (stream) => new Response("web").body.pipeTo(Writable.toWeb(stream)),
  async status(stream) {
    awslambda.HttpResponseStream.from(stream, { statusCode: 304 }).end();
  },
  async later(stream) {
    setTimeout(() => stream.end("later"), 5);
  },
  async unfinished(stream) {
    stream.write("a");
  },
  async late(stream) {
    stream.end("a");
    stream.write("b");
  },
  async null(stream) {
    stream.write(null);
  },
  async returns(stream) {
    stream.end("a");
    return 7;
  },
};

export const handler = awslambda.streamifyResponse((event, stream) => answers[event](stream));
