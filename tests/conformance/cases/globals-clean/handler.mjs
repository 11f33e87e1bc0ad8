const own = /^__?trine|^nodeBootstrap$|^bootstrap$|^__bootstrap$/i;

export const handler = () => Object.getOwnPropertyNames(globalThis).filter((name) => own.test(name));
