// aws-jwt-verify: tokens of Cognito with keys that are given
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { generateKeyPairSync, sign } from "node:crypto";

export const handler = async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const verifier = CognitoJwtVerifier.create({ userPoolId: "us-east-1_abc", tokenUse: "id", clientId: "c" });
  verifier.cacheJwks({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k", use: "sig", alg: "RS256" }] });
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = (payload) => {
    const text = `${encode({ alg: "RS256", kid: "k" })}.${encode({ token_use: "id", aud: "c", iss: "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc", exp: 4e9, ...payload })}`;
    return `${text}.${sign("RSA-SHA256", text, privateKey).toString("base64url")}`;
  };
  return [
    (await verifier.verify(token({ sub: "me" }))).sub,
    await verifier.verify(token({ exp: 1 })).catch((error) => error.name),
    await verifier.verify(token({ aud: "d" })).catch((error) => error.name),
  ];
};
