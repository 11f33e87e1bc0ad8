// commander, yargs: command lines
import { Command } from "commander";
import yargs from "yargs";

export const handler = async () => {
  const command = new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .option("-n, --number <n>", "n", Number)
    .argument("<file>");
  command.parse(["-n", "3", "a.txt"], { from: "user" });
  let failed;
  try {
    new Command()
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .argument("<x>")
      .parse([], { from: "user" });
  } catch (error) {
    failed = error.code;
  }
  const parsed = await yargs(["--a", "1", "b", "--no-c"]).option("c", { type: "boolean" }).exitProcess(false).parse();
  return [command.opts(), command.args, failed, { ...parsed, $0: undefined }];
};
