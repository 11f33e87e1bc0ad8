// tweetnacl, crypto-js, @noble/hashes, @noble/curves, otplib: boxes, ciphers, hashes, signatures, one-time passwords without native code
import nacl from "tweetnacl";
import CryptoJS from "crypto-js";
import { sha256 } from "@noble/hashes/sha2.js";
import { blake3 } from "@noble/hashes/blake3.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import * as otplib from "otplib";

const hex = (bytes) => Buffer.from(bytes).toString("hex");

export const handler = async () => {
  const nonce = new Uint8Array(24),
    key = new Uint8Array(32).fill(1);
  const box = nacl.secretbox(Buffer.from("hush"), nonce, key);
  const packed = CryptoJS.AES.encrypt("hush", "pass").toString();
  const secret = new Uint8Array(32).fill(2);
  return [
    hex(box),
    Buffer.from(nacl.secretbox.open(box, nonce, key)).toString(),
    CryptoJS.AES.decrypt(packed, "pass").toString(CryptoJS.enc.Utf8),
    CryptoJS.SHA3("a").toString(),
    hex(sha256(new Uint8Array([1]))),
    hex(blake3(new Uint8Array([1]))),
    ed25519.verify(ed25519.sign(new Uint8Array([1]), secret), new Uint8Array([1]), ed25519.getPublicKey(secret)),
    Object.keys(otplib).length > 3,
  ];
};
