/** What is loaded and printed, seen from outside: compiled code in processes of its own. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { useModalServer } from "./harness.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const used = useModalServer();
let dir = "";

beforeAll(async () => {
  // Below node_modules, so that the compiled files find packages.
  dir = await mkdtemp(join(root, "node_modules", ".nopeek-loading-"));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--outDir", dir, "--declaration", "false", "--declarationMap", "false"];
  await run(process.execPath, [tsc, "-p", root, ...flags, "--sourceMap", "false"]);
  await writeFile(join(dir, "package.json"), '{"type":"module"}');
  await writeFile(join(dir, "hook.mjs"), hook);
});

afterAll(() => rm(dir, { recursive: true, force: true }));

/** Tells of every package that is resolved; `modal` may be put out of reach or replaced. */
const hook = `
import { appendFileSync } from "node:fs";
export async function resolve(specifier, context, next) {
  if (/^[a-z@]/.test(specifier) && !/^(?:node|file|data):/.test(specifier)) {
    appendFileSync(process.env.LOADED, specifier + "\\n");
  }
  if (specifier === "modal") {
    const to = process.env.MODAL_IS;
    if (to === "missing") throw Object.assign(new Error("no modal"), { code: "ERR_MODULE_NOT_FOUND" });
    if (to) return { url: to, shortCircuit: true };
  }
  return next(specifier, context);
}
`;

async function program(body: string, env: Record<string, string> = {}) {
  const loaded = join(dir, `loaded-${Math.random()}`);
  await writeFile(loaded, "");
  const register = `import { register } from "node:module"; register(${JSON.stringify(
    pathToFileURL(join(dir, "hook.mjs")).href,
  )});`;
  const main = join(dir, `main-${Math.random()}.mjs`);
  await writeFile(main, body);
  const begun = performance.now();
  const { stdout, stderr } = await run(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(register)}`, main],
    { env: { ...used.server.env(), LOADED: loaded, ...env }, cwd: dir, timeout: 15_000 },
  );
  const { readFile } = await import("node:fs/promises");
  const names = (await readFile(loaded, "utf8")).split("\n").filter(Boolean);
  return { stdout, stderr, names, ms: performance.now() - begun };
}

const attach = `
import { modal } from "./adapters/modal/index.js";
import { parseReference } from "./src/secrets/index.js";
const provider = modal({ timeoutMs: 3000 });
const [outcome] = await provider.attach(
  [parseReference("modal://train#HF_TOKEN")],
  { signal: new AbortController().signal },
);
await provider.close();
console.log(outcome?.code ?? JSON.stringify(outcome), outcome?.message ?? "");
`;

it("loads no package before the first call", async () => {
  const { names, stderr } = await program('import "./adapters/modal/index.js";');
  expect(names).toEqual([]);
  expect(stderr).toBe("");
});

it("loads no package for the test server before it starts", async () => {
  const { names } = await program('import "./adapters/testing/modal/index.js";');
  expect(names).toEqual([]);
});

it("attaches with the client's own configuration, prints nothing and ends by itself", async () => {
  used.server.seedSecret("train", { HF_TOKEN: "v" });
  const { stdout, stderr, names } = await program(attach, { MODAL_LOGLEVEL: "debug" });
  expect(JSON.parse(stdout)).toEqual({ provider: "modal", name: "train", keys: ["HF_TOKEN"] });
  expect(stderr).toBe("");
  expect(names).toContain("modal");
});

it.each([
  ["missing", "missing"],
  ["another package", "data:text/javascript,export default class Modal {}"],
  ["a package that fails to load", "data:text/javascript,document.body"],
])("names the install command when the package is %s", async (_, to) => {
  const { stdout } = await program(attach, { MODAL_IS: to });
  expect(stdout).toMatch(/^PROVIDER_MISSING .*npm install modal@~0\.11\.1/);
});

it("has the package with the class, and not its namesake", async () => {
  const { stdout } = await program(
    'const { ModalClient } = await import("modal"); console.log(typeof ModalClient);',
  );
  expect(stdout).toBe("function\n");
});
