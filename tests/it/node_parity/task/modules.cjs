// What `require` and `import` of CommonJS find: an event says what, and how.
const path = require("node:path");
const Module = require("node:module");

const summary = (value) => {
  if (value === null || !["object", "function"].includes(typeof value)) {
    return value;
  }
  const members = {};
  for (const name of Object.keys(value).sort()) {
    members[name] = typeof value[name] === "function" ? "a function" : value[name];
  }
  return typeof value === "function" ? { "a function": value.name, ...members } : members;
};

const table = {
  require: (name) => summary(require(name)),
  import: async (name) => {
    const namespace = await import(name);
    return { ...summary(namespace), tag: namespace[Symbol.toStringTag] };
  },
  importJson: async (name) => summary(await import(name, { with: { type: "json" } })),
  importOddly: (name) => import(name, { with: { type: "text" } }),
  resolve: (name) => require.resolve(name),
  resolvePaths: (name) => require.resolve(name, { paths: [path.join(__dirname, "lib")] }),
  twice: async (name) => [require(name) === require(name), await import(name) === await import(name)],
  createRequire: (name) => summary(Module.createRequire(path.join(__dirname, "lib/x.js"))(name)),
  createRequireUrl: (name) => summary(Module.createRequire(`file://${__dirname}/lib/x.js`)(name)),
  isDefault: async (name) => (await import(name)).default === require(name),
  uncached: (name) => {
    const before = require(name);
    delete require.cache[require.resolve(name)];
    return require(name) === before;
  },
  again: (name) => {
    const messages = [];
    for (let index = 0; index < 2; index++) {
      try {
        messages.push(summary(require(name)));
      } catch (error) {
        messages.push(String(error.message ?? error).split("\n")[0]);
      }
    }
    return messages;
  },
  importAgain: async (name) => {
    const messages = [];
    for (let index = 0; index < 2; index++) {
      messages.push(await import(name).then(() => "fine", (error) => String(error.message ?? error)));
    }
    return messages;
  },
  code: async (name) => {
    const codes = [];
    for (const load of [() => require(name), () => import(name)]) {
      try {
        await load();
        codes.push("fine");
      } catch (error) {
        codes.push([error?.name, error?.code]);
      }
    }
    return codes;
  },
  wasm: async () => {
    const bytes = require("node:fs").readFileSync(path.join(__dirname, "lib/add.wasm"));
    const { instance } = await WebAssembly.instantiate(bytes);
    return instance.exports.add(2, 3);
  },
  condOfSelf: () => require("self").condOfImport(),
  compile: () => {
    const made = new Module("/made.js");
    made._compile("exports.kind = 'compiled by hand'", "/made.js");
    return made.exports.kind;
  },
  wrapper: () => [Module.wrap("x").length > 3, Module.wrapper.length],
  findPackage: () => typeof Module.findPackageJSON,
  globalPaths: () => Array.isArray(Module.globalPaths),
  live: async () => {
    const { add } = await import("./lib/live.mjs");
    add();
    return (await import("./lib/live.mjs")).count;
  },
  namespaceMembers: async () => {
    const namespace = await import("./lib/esm.mjs");
    return [Object.isSealed(namespace), Object.getPrototypeOf(namespace), Reflect.set(namespace, "kind", 1), Object.keys(namespace)];
  },
  children: (name) => {
    require(name);
    return module.children.some((child) => child.filename === require.resolve(name));
  },
  dataUrl: async () => (await import("data:text/javascript,export default 6 * 7")).default,
  fileUrl: async () => (await import(`file://${__dirname}/lib/esm.mjs`)).kind,
  absolute: async () => [require(`${__dirname}/lib/cjs.cjs`).kind, (await import(`${__dirname}/lib/esm.mjs`)).kind],
};

exports.handler = async (event) => {
  const [what, name] = event.do.split(" ");
  return await table[what](decodeURI(name ?? ""));
};
