import path = require("node:path");
import add = require("./add");
import Whole = require("./whole");
import Unused = require("./does-not-exist");
import shape, { named as renamedNamed } from "./shape";
import * as star from "./star";
import { count, increase } from "./counter";
import { a as renamed } from "./star";
import anonymous from "./anonymous";
import { Space } from "./space";
import Inner = Space.Inner;

export const handler = async (): Promise<unknown> => {
  const before = count;
  increase();
  const unused: Unused.Type | undefined = undefined;
  const call = { whoAmI(this: unknown) { return this; } };
  return {
    base: path.basename("/folder/file.txt"),
    sum: add(1, 2),
    whole: new Whole().kind,
    kept: Whole.name2,
    dirname: path.basename(__dirname),
    require: typeof require,
    default: shape,
    named: renamedNamed,
    star: Object.keys(star).sort(),
    renamed,
    again: path.basename(path.dirname(require.resolve("./star"))),
    live: [before, count],
    receiver: star.a === "a" && call.whoAmI() === call && unused === undefined,
    alias: Inner.value,
    hoisted: hoisted(),
    anonymous: anonymous(),
    main: require.main === module,
  };
};

export function hoisted(): string {
  return "hoisted";
}
