// A table that is sent row by row, while it is made. Behind a URL it has a media type and a file name.
import { setTimeout as pause } from "node:timers/promises";

async function* table(rows, waitMs) {
  yield "number,square\n";
  for (let number = 1; number <= rows; number++) {
    await pause(waitMs);
    yield `${number},${number * number}\n`;
  }
}

export const handler = (event) => {
  const { rows = 3, wait_ms: waitMs = 20 } = event.queryStringParameters ?? event;
  const chunks = table(Number(rows), Number(waitMs));
  if (event.requestContext === undefined) {
    return chunks;
  }
  const body = ReadableStream.from(chunks).pipeThrough(new TextEncoderStream());
  const headers = {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": 'attachment; filename="squares.csv"',
  };
  return new Response(body, { headers });
};
