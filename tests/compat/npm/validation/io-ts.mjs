// io-ts, fp-ts, @sinclair/typebox: codecs and schemas
import * as t from "io-ts";
import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { TypeCompiler } from "@sinclair/typebox/compiler";

export const handler = async () => {
  const Pet = t.type({ name: t.string, age: t.number });
  const T = Type.Object({ n: Type.Number({ minimum: 1 }) });
  return [
    isLeft(Pet.decode({ name: 1 })),
    Pet.decode({ name: "a", age: 1 }),
    pipe(1, (n) => n + 1),
    Value.Check(T, { n: 0 }),
    TypeCompiler.Compile(T).Check({ n: 2 }),
    Value.Convert(T, { n: "3" }),
  ];
};
