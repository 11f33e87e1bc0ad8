// cheerio, htmlparser2, sanitize-html, turndown: HTML read, changed, cleaned, made Markdown
import * as cheerio from "cheerio";
import { Parser } from "htmlparser2";
import sanitize from "sanitize-html";
import Turndown from "turndown";

export const handler = async () => {
  const $ = cheerio.load("<ul><li class=a>é</li><li>b</li></ul>");
  $("li.a").text("x").attr("id", "1");
  const names = [];
  const parser = new Parser({ onopentag: (name) => names.push(name) });
  parser.write("<p><b>x</b>");
  parser.end();
  return [
    $("ul").html(),
    $("li")
      .map((_, it) => $(it).text())
      .get(),
    names,
    sanitize("<b onclick=x>y</b><script>z</script>"),
    new Turndown().turndown("<h1>a</h1><p><em>b</em></p>"),
  ];
};
