import process from "node:process";

export const handler = () => {
  process.stdout.write("to stdout\n");
  process.stderr.write("to stderr\n");
  process.stdout.write("in ");
  process.stdout.write("pieces\n");
};
