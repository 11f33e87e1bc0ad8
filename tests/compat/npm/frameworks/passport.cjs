// passport, passport-jwt, jwks-rsa: requests with and without a token; keys that are fetched
const express = require("express");
const jsonwebtoken = require("jsonwebtoken");
const passport = require("passport");
const { ExtractJwt, Strategy } = require("passport-jwt");
const jwks = require("jwks-rsa");
const { generateKeyPairSync } = require("node:crypto");

exports.handler = async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const app = express();
  app.get("/keys", (request, response) =>
    response.json({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k", use: "sig", alg: "RS256" }] }),
  );
  const server = await new Promise((resolve) => {
    const it = app.listen(0, "127.0.0.1", () => resolve(it));
  });
  const base = `http://127.0.0.1:${server.address().port}`;
  const secretOrKeyProvider = jwks.passportJwtSecret({ jwksUri: `${base}/keys`, cache: true });
  passport.use(
    new Strategy(
      { jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKeyProvider, algorithms: ["RS256"] },
      (payload, done) => done(null, payload),
    ),
  );
  app.get("/me", passport.authenticate("jwt", { session: false }), (request, response) =>
    response.json({ sub: request.user.sub }),
  );
  const token = jsonwebtoken.sign({ sub: "me" }, privateKey, { algorithm: "RS256", keyid: "k" });
  const good = await (await fetch(`${base}/me`, { headers: { authorization: `Bearer ${token}` } })).json();
  const bad = (await fetch(`${base}/me`, { headers: { authorization: `Bearer ${token}x` } })).status;
  server.closeAllConnections();
  server.close();
  return [good, bad];
};
