// marked, markdown-it, remark: Markdown
import { marked } from "marked";
import markdownIt from "markdown-it";
import { remark } from "remark";

const text = "# Título\n\n- *a*\n- [b](c)\n\n| x |\n|---|\n| 1 |\n";

export const handler = async () => [
  await marked.parse(text),
  markdownIt().render(text),
  String(await remark().process("*  a\n*  b")),
];
