import { spawn } from "node:child_process";
import { type Alert, AlertFailure, type AlertSink } from "./sink.ts";

/** All of the launcher's environment that an alert command gets: it may hold credentials. */
const passed = "PATH HOME USER LOGNAME LANG LC_ALL TZ TMPDIR XDG_CONFIG_HOME XDG_RUNTIME_DIR";

/**
 * Runs a command for each alert, without a shell, with the alert as one line of JSON on its standard
 * input. It is killed, with what it started, when its time is up.
 *
 * @example
 * createMonitor({ alerts: [commandSink(["./page-me.sh"])] });
 */
export function commandSink(
  command: readonly [string, ...string[]],
  timeoutMs?: number | undefined,
): AlertSink {
  return { name: "command", timeoutMs, send: (alert, signal) => run(command, alert, signal) };
}

function run(
  [program, ...args]: readonly [string, ...string[]],
  alert: Alert,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((settle, reject) => {
    const child = spawn(program, args, {
      env: environment(),
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
      shell: false,
    });
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It ended meanwhile.
      }
    };
    signal.addEventListener("abort", kill, { once: true });
    child.once("error", () => reject(new AlertFailure("not-started")));
    child.once("exit", (code) => {
      signal.removeEventListener("abort", kill);
      if (code === 0) settle();
      else reject(new AlertFailure("exit-code"));
    });
    // A command that does not read its input has ended well all the same.
    child.stdin.on("error", () => undefined);
    child.stdin.end(`${JSON.stringify(alert)}\n`);
  });
}

function environment(): Record<string, string> {
  const entries = passed.split(" ").map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
