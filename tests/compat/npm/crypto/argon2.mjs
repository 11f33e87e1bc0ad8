// argon2: hashes by a native addon
import argon2 from "argon2";

export const handler = async () => {
  const hash = await argon2.hash("secret", { memoryCost: 4096, timeCost: 2, salt: Buffer.alloc(16, 1) });
  return [hash, await argon2.verify(hash, "secret"), await argon2.verify(hash, "wrong"), argon2.needsRehash(hash)];
};
