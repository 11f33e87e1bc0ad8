// bcrypt, bcryptjs: hashes that each other checks
const native = require("bcrypt");
const plain = require("bcryptjs");

exports.handler = async () => {
  const hash = await native.hash("secret", 4);
  return [
    hash.length,
    await plain.compare("secret", hash),
    await native.compare("wrong", hash),
    native.compareSync("secret", plain.hashSync("secret", 4)),
    plain.hashSync("a", "$2b$04$abcdefghijklmnopqrstuu"),
  ];
};
