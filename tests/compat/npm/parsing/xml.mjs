// fast-xml-parser, xml2js: XML both ways
import { XMLBuilder, XMLParser, XMLValidator } from "fast-xml-parser";
import xml2js from "xml2js";

export const handler = async () => {
  const xml = '<a x="1"><b>é</b><b>2</b><![CDATA[<raw>]]></a>';
  return [
    new XMLParser({ ignoreAttributes: false }).parse(xml),
    XMLValidator.validate("<a>") !== true,
    new XMLBuilder().build({ a: { b: [1, 2] } }),
    await xml2js.parseStringPromise(xml),
    new xml2js.Builder({ headless: true }).buildObject({ a: { $: { x: 1 }, b: "c" } }),
    await xml2js.parseStringPromise("<a").catch((error) => error.message.split("\n")[0]),
  ];
};
