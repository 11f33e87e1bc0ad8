// jsonwebtoken: tokens with each kind of key, their errors
const jwt = require("jsonwebtoken");
const { generateKeyPairSync } = require("node:crypto");

exports.handler = async () => {
  const told = [jwt.verify(jwt.sign({ sub: "me", iat: 1 }, "s", { algorithm: "HS512" }), "s")];
  for (const [kind, options, algorithm] of [
    ["rsa", { modulusLength: 2048 }, "RS256"],
    ["rsa", { modulusLength: 2048 }, "PS512"],
    ["ec", { namedCurve: "P-256" }, "ES256"],
  ]) {
    const { publicKey, privateKey } = generateKeyPairSync(kind, {
      ...options,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const token = jwt.sign({ sub: "me" }, privateKey, { algorithm, expiresIn: "1h", audience: "a" });
    told.push(jwt.verify(token, publicKey, { audience: "a" }).sub, jwt.decode(token, { complete: true }).header);
  }
  for (const attempt of [
    () => jwt.verify(jwt.sign({ exp: 1 }, "s"), "s"),
    () => jwt.verify(jwt.sign({}, "s"), "t"),
    () => jwt.verify("x", "s"),
  ]) {
    try {
      attempt();
    } catch (error) {
      told.push([error.name, error.message]);
    }
  }
  return told;
};
