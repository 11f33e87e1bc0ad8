// openpgp: keys, encryption and signatures
import * as openpgp from "openpgp";

export const handler = async () => {
  const { privateKey, publicKey } = await openpgp.generateKey({
    type: "curve25519",
    userIDs: [{ name: "Ann", email: "a@b.test" }],
    format: "object",
  });
  const message = await openpgp.encrypt({
    message: await openpgp.createMessage({ text: "hush" }),
    encryptionKeys: publicKey,
    signingKeys: privateKey,
  });
  const { data, signatures } = await openpgp.decrypt({
    message: await openpgp.readMessage({ armoredMessage: message }),
    decryptionKeys: privateKey,
    verificationKeys: publicKey,
  });
  return [data, await signatures[0].verified];
};
