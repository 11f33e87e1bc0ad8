// uuid, nanoid, ulid, ksuid, short-unique-id, @paralleldrive/cuid2: ids, their forms and orders
import { v1, v4, v5, v7, validate, version } from "uuid";
import { customAlphabet, nanoid } from "nanoid";
import { decodeTime, ulid } from "ulid";
import KSUID from "ksuid";
import ShortUniqueId from "short-unique-id";
import { createId, isCuid } from "@paralleldrive/cuid2";

export const handler = async () => {
  const ordered = Array.from({ length: 50 }, () => v7());
  return [
    [v1(), v4(), v7()].map(version),
    v5("a", v5.DNS),
    validate("x"),
    ordered.join() === [...ordered].sort().join(),
    nanoid().length,
    /^[ab]{5}$/.test(customAlphabet("ab", 5)()),
    decodeTime(ulid(1234)),
    KSUID.randomSync().string.length,
    new ShortUniqueId({ length: 8 }).rnd().length,
    isCuid(createId()),
    new Set(Array.from({ length: 1000 }, () => nanoid())).size,
  ];
};
