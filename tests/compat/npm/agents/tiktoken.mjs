// tiktoken, js-tiktoken: tokens of texts, in WebAssembly and without
import { get_encoding } from "tiktoken";
import { getEncoding } from "js-tiktoken";

export const handler = async () => {
  const encoder = get_encoding("cl100k_base");
  const tokens = [...encoder.encode("héllo wörld 日本")];
  const text = new TextDecoder().decode(encoder.decode(new Uint32Array(tokens)));
  encoder.free();
  return [tokens, text, getEncoding("cl100k_base").encode("héllo wörld 日本")];
};
