// archiver, unzipper, jszip, adm-zip, tar, fflate: archives written and read by each other
import { ZipArchive } from "archiver";
import unzipper from "unzipper";
import JSZip from "jszip";
import AdmZip from "adm-zip";
import * as tar from "tar";
import { gunzipSync, strFromU8, unzipSync, zipSync } from "fflate";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const handler = async () => {
  const chunks = [];
  const archive = new ZipArchive({ zlib: { level: 9 } });
  archive.on("data", (chunk) => chunks.push(chunk));
  const ended = new Promise((resolve, reject) => archive.on("end", resolve).on("error", reject));
  archive.append("content", { name: "a.txt" });
  archive.append(Buffer.alloc(1000, "x"), { name: "d/b.txt" });
  archive.finalize();
  await ended;
  const zip = Buffer.concat(chunks);
  const opened = await unzipper.Open.buffer(zip);
  const names = opened.files.map(({ path }) => path).sort();
  const text = (await opened.files.find(({ path }) => path === "a.txt").buffer()).toString();
  const js = await JSZip.loadAsync(zip);
  const adm = new AdmZip(zip);
  adm.addFile("c.txt", Buffer.from("more"));
  const folder = mkdtempSync(join(tmpdir(), "tar-"));
  writeFileSync(join(folder, "f.txt"), "in tar");
  await tar.create({ gzip: true, file: join(folder, "t.tgz"), cwd: folder }, ["f.txt"]);
  const listed = [];
  await tar.list({ file: join(folder, "t.tgz"), onReadEntry: ({ path }) => listed.push(path) });
  return [
    names,
    text,
    (await js.file("d/b.txt").async("string")).length,
    Object.keys(unzipSync(adm.toBuffer())).sort(),
    strFromU8(unzipSync(zipSync({ z: new Uint8Array([65]) })).z),
    listed,
    gunzipSync(readFileSync(join(folder, "t.tgz"))).length % 512,
  ];
};
