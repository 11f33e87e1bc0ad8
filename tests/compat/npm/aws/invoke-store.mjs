// @aws/lambda-invoke-store, @aws-crypto/sha256-js: a store for each invocation; hashes as the SDK signs with
import { InvokeStore } from "@aws/lambda-invoke-store";
import { Sha256 } from "@aws-crypto/sha256-js";

export const handler = async () => {
  const store = await InvokeStore.getInstanceAsync();
  const value = await store.run({ [InvokeStore.PROTECTED_KEYS?.REQUEST_ID ?? "id"]: "r" }, async () => {
    store.set("user", "me");
    await null;
    return store.get("user");
  });
  const hash = new Sha256("key");
  hash.update("text");
  return [value, Buffer.from(await hash.digest()).toString("hex")];
};
