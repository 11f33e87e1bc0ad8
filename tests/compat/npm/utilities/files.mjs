// glob, fs-extra, chokidar: files found, copied, watched
import { glob } from "glob";
import fs from "fs-extra";
import chokidar from "chokidar";
import { tmpdir } from "node:os";

export const handler = async (event) => {
  const folder = `${tmpdir()}/files-${event.call}`;
  await fs.outputJson(`${folder}/a/b/c.json`, { n: 1 });
  await fs.outputFile(`${folder}/a/d.txt`, "d");
  await fs.copy(`${folder}/a`, `${folder}/copy`);
  await fs.move(`${folder}/copy/d.txt`, `${folder}/copy/e.txt`);
  const found = (await glob("**/*.{json,txt}", { cwd: folder })).sort();
  const watcher = chokidar.watch(folder, { ignoreInitial: true });
  await new Promise((resolve) => watcher.once("ready", resolve));
  const seen = new Promise((resolve) => watcher.once("add", (path) => resolve(path.slice(folder.length))));
  await fs.writeFile(`${folder}/new.txt`, "x");
  const told = [found, await fs.readJson(`${folder}/copy/b/c.json`), await seen];
  await watcher.close();
  return told;
};
