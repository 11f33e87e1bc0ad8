// csv-parse, csv-stringify, papaparse: CSV as a whole and as streams
import { parse } from "csv-parse";
import { parse as parseSync } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import Papa from "papaparse";
import { Readable } from "node:stream";

const text = 'a,b\n1,"x ""y"""\n2,é\n';

export const handler = async () => {
  const rows = [];
  for await (const row of Readable.from([text.slice(0, 7), text.slice(7)]).pipe(parse({ columns: true })))
    rows.push(row);
  const streamed = [];
  for await (const row of Readable.from(text).pipe(Papa.parse(Papa.NODE_STREAM_INPUT, { header: true })))
    streamed.push(row);
  return [
    rows,
    parseSync(text, { from_line: 2 }),
    stringify([["a", 'b"c']]),
    Papa.parse(text, { header: true, dynamicTyping: true }).data,
    Papa.unparse([{ a: 1, b: "x,y" }]),
    streamed,
  ];
};
