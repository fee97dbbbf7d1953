// What starting costs: the command against a bare Node, the core against an empty module.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { interleaved, printTable } from "./support.mjs";

const dist = (path) => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "nopeek-bench-"));
const rounds = 15;

function wallMs(args, env = {}) {
  const begun = performance.now();
  const { status } = spawnSync(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
  });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}`);
  return performance.now() - begun;
}

/** Import time in ms and resident memory in KiB, measured inside a process of its own. */
function importing(...modules) {
  const urls = modules.map((path) => pathToFileURL(path).href);
  const program = `const t = performance.now(); for (const u of ${JSON.stringify(urls)}) await import(u); const ms = performance.now() - t; console.log(JSON.stringify([ms, process.memoryUsage.rss() / 1024]))`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  return JSON.parse(stdout);
}

try {
  const empty = join(folder, "empty.mjs");
  writeFileSync(empty, "export {};\n");
  writeFileSync(join(folder, ".env"), "HF_TOKEN=not-a-real-token-for-anything\n", { mode: 0o600 });
  const bin = dist("src/cli/bin.js");
  const times = await interleaved(
    {
      "node -e 0": () => wallMs(["-e", "0"]),
      "nopeek run --secret T -- true": () =>
        wallMs(["--", bin, "run", "--secret", "T", "--", "true"], { T: "not-a-real-token" }),
      "nopeek run -- true (with .env)": () => wallMs(["--", bin, "run", "--", "true"]),
    },
    rounds,
  );
  const base = times["node -e 0"];
  printTable("start-up of the command", [
    ["", "ms", "ratio"],
    ...Object.entries(times).map(([name, ms]) => [name, ms.toFixed(0), (ms / base).toFixed(2)]),
  ]);

  const modules = {
    "an empty module": [empty],
    "core and env adapter": [dist("src/index.js"), dist("adapters/env.js")],
    "nopeek/paths": [dist("src/paths/index.js")],
    "nopeek/redact": [dist("src/redact/index.js")],
    "nopeek/launch": [dist("src/launch/index.js")],
  };
  const pick = (index) =>
    interleaved(
      Object.fromEntries(
        Object.entries(modules).map(([name, paths]) => [name, () => importing(...paths)[index]]),
      ),
      rounds,
    );
  const ms = await pick(0);
  const kib = await pick(1);
  printTable(
    "import, more than an empty module (goal: core and env at most 15 ms, 4 MiB; paths at most 5 ms)",
    [
      ["", "ms", "MiB", "times an empty import"],
      ...Object.keys(modules).map((name) => [
        name,
        (ms[name] - ms["an empty module"]).toFixed(1),
        ((kib[name] - kib["an empty module"]) / 1024).toFixed(1),
        (ms[name] / ms["an empty module"]).toFixed(1),
      ]),
    ],
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
