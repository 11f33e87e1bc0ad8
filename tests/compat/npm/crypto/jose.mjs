// jose: signing, encryption, keys and key sets
import * as jose from "jose";

export const handler = async () => {
  const told = [];
  for (const alg of ["RS256", "PS256", "ES256", "ES384", "EdDSA"]) {
    const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
    const token = await new jose.SignJWT({ a: 1 }).setProtectedHeader({ alg }).setIssuer("i").sign(privateKey);
    const { payload } = await jose.jwtVerify(token, publicKey, { issuer: "i" });
    const jwk = await jose.exportJWK(publicKey);
    told.push([payload, jwk.kty, (await jose.exportPKCS8(privateKey)).startsWith("-----BEGIN")]);
    const set = jose.createLocalJWKSet({ keys: [{ ...jwk, alg }] });
    told.push((await jose.jwtVerify(token, set)).payload.a);
  }
  for (const [alg, enc] of [
    ["RSA-OAEP-256", "A256GCM"],
    ["ECDH-ES+A128KW", "A128CBC-HS256"],
  ]) {
    const { publicKey, privateKey } = await jose.generateKeyPair(alg);
    const token = await new jose.EncryptJWT({ hush: true }).setProtectedHeader({ alg, enc }).encrypt(publicKey);
    told.push((await jose.jwtDecrypt(token, privateKey)).payload);
  }
  told.push(await jose.jwtVerify("a.b.c", new Uint8Array(32)).catch((error) => error.code));
  return told;
};
