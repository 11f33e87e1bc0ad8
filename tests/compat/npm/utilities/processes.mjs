// execa, cross-spawn: child processes: output, input, errors, time limits, scripts of Node
import { execa, execaNode, $ } from "execa";
import spawn from "cross-spawn";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";

export const handler = async () => {
  const script = `${tmpdir()}/child.cjs`;
  writeFileSync(
    script,
    "process.on('message', (m) => { process.send({ got: m }); process.disconnect(); }); console.log('child', process.argv[2]);",
  );
  const { stdout } = await execa("cat", { input: "héllo" });
  const failed = await execa("sh", ["-c", "echo bad >&2; exit 3"]).catch((error) => [
    error.exitCode,
    error.stderr,
    error.shortMessage,
  ]);
  const late = await execa("sleep", ["5"], { timeout: 50 }).catch((error) => [error.timedOut, error.signal]);
  const child = execaNode(script, ["a"], { ipc: true });
  const message = child.getOneMessage();
  await child.sendMessage("hi");
  const answer = await message;
  const piped = await $`printf ${"b\na\n"}`.pipe`sort`;
  const lines = [];
  for await (const line of execa("printf", ["1\\n2\\n"])) lines.push(line);
  return [
    stdout,
    failed,
    late,
    answer,
    (await child).stdout,
    piped.stdout,
    lines,
    spawn.sync("echo", ["x y"]).stdout.toString(),
  ];
};
