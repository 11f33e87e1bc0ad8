const cycle = { list: [] };
cycle.list.push(cycle);

const results = {
  cycle,
  function: () => {},
  "bad-text": new TextDecoder().decode(new Uint8Array([0xff])),
};

export const handler = (event) => results[event] ?? event;
