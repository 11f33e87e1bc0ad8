// zod: schemas with transforms, unions, errors, JSON Schema
import { z } from "zod";

export const handler = async () => {
  const Pet = z.object({
    name: z.string().trim().min(2),
    age: z.coerce.number().int(),
    kind: z.enum(["cat", "dog"]).default("dog"),
    at: z.iso.datetime().optional(),
  });
  const wrong = Pet.safeParse({ name: "x", age: "y" });
  const either = z.discriminatedUnion("t", [
    z.object({ t: z.literal("a"), n: z.number() }),
    z.object({ t: z.literal("b") }),
  ]);
  return [
    Pet.parse({ name: " Rex ", age: "3" }),
    wrong.error.issues.map(({ path, code }) => [path, code]),
    either.parse({ t: "a", n: 1 }),
    z.toJSONSchema(Pet),
    await z
      .string()
      .refine(async (it) => it === "a")
      .safeParseAsync("b")
      .then(({ success }) => success),
  ];
};
