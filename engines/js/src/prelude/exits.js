// What asks for the end of the process, and ends an invocation instead. Signals that Node's `process` sends are looked at in
// Rust, below every way to name its functions.
import { currentMeta, host } from "ext:trine_prelude/context.js";

/** What `process.exit`, `Deno.exit` and their like come to: the code that asks is stopped where it stands. */
export function exit(status) {
  const meta = currentMeta();
  host.exit(status || Number(meta?.program?.exitCode ?? 0), meta?.slot ?? -1);
}

/** Lets `Deno.kill` see the signals to this process that would end it. */
export function trapSignals() {
  const { kill } = Deno;
  Deno.kill = (pid, signal = "SIGTERM") => {
    if (!host.trapSignal(pid, String(signal))) {
      kill(pid, signal);
    }
  };
}
