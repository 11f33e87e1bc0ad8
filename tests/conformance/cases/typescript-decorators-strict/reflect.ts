/** What the package of this name does, as far as it is needed here. */
const all = new WeakMap<object, Map<string, unknown>>();

const keyOf = (key: string, name?: PropertyKey): string => `${key}:${String(name)}`;

Object.assign(Reflect, {
  metadata: (key: string, value: unknown) => (target: object, name?: PropertyKey) => {
    const own = all.get(target) ?? new Map<string, unknown>();
    all.set(target, own.set(keyOf(key, name), value));
  },
  getMetadata: (key: string, target: object, name?: PropertyKey) => all.get(target)?.get(keyOf(key, name)),
});
