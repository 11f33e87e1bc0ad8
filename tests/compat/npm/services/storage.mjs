// @google-cloud/storage, @azure/storage-blob, firebase-admin: signed addresses and tokens with keys of our own
import { Storage } from "@google-cloud/storage";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { cert, initializeApp, deleteApp } from "firebase-admin/app";
import { getAuth } from "firebase-admin/auth";
import { generateKeyPairSync } from "node:crypto";

export const handler = async () => {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const credentials = { client_email: "a@b.test", private_key: privateKey };
  const [url] = await new Storage({ projectId: "p", credentials })
    .bucket("b")
    .file("f")
    .getSignedUrl({ version: "v4", action: "read", expires: Date.now() + 60000 });
  const azure = new BlobServiceClient(
    "http://127.0.0.1:1/acc",
    new StorageSharedKeyCredential("acc", Buffer.from("key").toString("base64")),
    { retryOptions: { maxTries: 1 } },
  );
  const refused = await azure
    .getContainerClient("c")
    .exists()
    .catch((error) => error.code);
  const app = initializeApp(
    { credential: cert({ projectId: "p", clientEmail: "a@b.test", privateKey }) },
    `app${Date.now()}`,
  );
  const token = await getAuth(app).createCustomToken("me", { a: 1 });
  await deleteApp(app);
  return [new URL(url).pathname, refused, JSON.parse(Buffer.from(token.split(".")[1], "base64url")).uid];
};
