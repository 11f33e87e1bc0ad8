// fuse.js, i18next, dotenv, chalk: search, translations, variables, colours
const Fuse = require("fuse.js");
const i18next = require("i18next");
const dotenv = require("dotenv");

exports.handler = async () => {
  const { default: chalk, Chalk } = await import("chalk");
  const found = new (Fuse.default ?? Fuse)([{ t: "Old Man" }, { t: "Lock" }], { keys: ["t"] }).search("od man");
  const i18n = i18next.createInstance();
  await i18n.init({
    lng: "pl",
    resources: {
      pl: { translation: { pet_one: "{{count}} kot", pet_few: "{{count}} koty", pet_many: "{{count}} kotów" } },
    },
  });
  return [
    found.map(({ item }) => item.t),
    [1, 2, 5].map((count) => i18n.t("pet", { count })),
    dotenv.parse('A=1\nB="x\\ny" # c'),
    new Chalk({ level: 1 }).red("x"),
  ];
};
