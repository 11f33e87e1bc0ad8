// lodash, lodash-es, ramda, immer, deepmerge: values grouped, merged, changed
import _ from "lodash";
import { debounce, groupBy } from "lodash-es";
import * as R from "ramda";
import { produce } from "immer";
import merge from "deepmerge";

export const handler = async () => {
  let calls = 0;
  const once = debounce(() => calls++, 5);
  once();
  once();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const state = { a: { b: [1] }, c: {} };
  const next = produce(state, (draft) => {
    draft.a.b.push(2);
  });
  return [
    _.template("<%= a %>!")({ a: 1 }),
    _.merge({ a: { b: 1 } }, { a: { c: new Date(0) } }),
    groupBy([1, 2, 3], (n) => n % 2),
    _.isEqual(new Map([[1, { a: 1 }]]), new Map([[1, { a: 1 }]])),
    R.pipe(R.map(R.inc), R.sum)([1, 2]),
    next,
    next.c === state.c,
    merge({ a: [1] }, { a: [2] }),
    calls,
  ];
};
