// valibot, superstruct: schemas and their errors
import * as v from "valibot";
import { assert, create, defaulted, number, object, string } from "superstruct";

export const handler = async () => {
  const Pet = v.object({ name: v.pipe(v.string(), v.minLength(2)), mail: v.optional(v.pipe(v.string(), v.email())) });
  let failed;
  try {
    assert({ n: "x" }, object({ n: number() }));
  } catch (error) {
    failed = error.message;
  }
  return [
    v.parse(Pet, { name: "Rex" }),
    v.safeParse(Pet, { name: "x", mail: "y" }).issues.map(({ message }) => message),
    failed,
    create({}, object({ s: defaulted(string(), "d") })),
  ];
};
