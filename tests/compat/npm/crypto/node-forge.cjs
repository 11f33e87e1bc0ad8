// node-forge, elliptic: a certificate of our own, encryption, curves
const forge = require("node-forge");
const { ec: EC } = require("elliptic");
const { X509Certificate } = require("node:crypto");

exports.handler = async () => {
  const keys = forge.pki.rsa.generateKeyPair(1024);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = keys.publicKey;
  certificate.serialNumber = "01";
  certificate.validity.notBefore = new Date(0);
  certificate.validity.notAfter = new Date(1e13);
  certificate.setSubject([{ name: "commonName", value: "a.test" }]);
  certificate.setIssuer([{ name: "commonName", value: "a.test" }]);
  certificate.sign(keys.privateKey, forge.md.sha256.create());
  const read = new X509Certificate(forge.pki.certificateToPem(certificate));
  const secret = keys.privateKey.decrypt(keys.publicKey.encrypt("hush", "RSA-OAEP"), "RSA-OAEP");
  const key = new EC("secp256k1").keyFromPrivate("01".repeat(32), "hex");
  return [
    read.subject,
    read.validTo,
    read.checkIssued(read),
    secret,
    key.getPublic("hex").slice(0, 20),
    key.verify("00", key.sign("00")),
  ];
};
