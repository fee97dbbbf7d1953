import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { emptyFolder, root } from "./support/command.ts";
import { randomToken } from "./support/values.ts";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

it("the core exports what the documentation names", async () => {
  expect(Object.keys(await import("nopeek")).sort()).toEqual([
    "Attached",
    "Secret",
    "SecretError",
    "createSecrets",
    "defineSecrets",
    "errorCodes",
    "onSecret",
    "parseReference",
  ]);
});

it("every door says the name it is exported as", () => {
  for (const [subpath, target] of Object.entries<string | Record<string, string>>(
    manifest.exports,
  )) {
    if (typeof target === "string") continue;
    const name = `nopeek${subpath.slice(1)}`;
    const text = readFileSync(join(root, target["nopeek:source"] ?? ""), "utf8");
    expect(text.replace(/\s+(?:\*\s+)?/g, " ").toLowerCase()).toContain(`exported as \`${name}\``);
  }
});

it("names exact versions of what it depends on", () => {
  const { dependencies, devDependencies } = manifest;
  for (const version of Object.values({ ...dependencies, ...devDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

it("names no place where packages come from", () => {
  expect(readFileSync(join(root, "package-lock.json"), "utf8")).not.toContain('"resolved"');
});

it("works from its tarball in an empty project, without optional packages", () => {
  const folder = emptyFolder();
  const pack = ["pack", "--silent", "--pack-destination", folder];
  const tarball = execFileSync("npm", pack, { cwd: root, encoding: "utf8" })
    .trim()
    .split("\n")
    .at(-1);
  // Installed by hand, as npm lays it out: the dependencies are those of this checkout.
  execFileSync("tar", ["-xzf", join(folder, tarball ?? ""), "-C", folder]);
  execFileSync("mkdir", ["-p", join(folder, "node_modules/.bin")]);
  execFileSync("mv", [join(folder, "package"), join(folder, "node_modules/nopeek")]);
  for (const name of Object.keys(manifest.dependencies)) {
    execFileSync("ln", [
      "-s",
      join(root, "node_modules", name),
      join(folder, "node_modules", name),
    ]);
  }
  const bin = join(folder, "node_modules/.bin/nopeek");
  execFileSync("ln", ["-s", "../nopeek/dist/src/cli/bin.js", bin]);
  execFileSync("chmod", ["+x", join(folder, "node_modules/nopeek/dist/src/cli/bin.js")]);
  const doors = Object.keys(manifest.exports).filter((name) => !name.endsWith(".json"));
  const program = `
    const doors = ${JSON.stringify(doors.map((name) => `nopeek${name.slice(1)}`))};
    for (const door of doors) await import(door);
    const { createSecrets } = await import("nopeek");
    const { env } = await import("nopeek/adapters/env");
    const secret = await createSecrets({ providers: [env()] }).get("env://TOKEN", { name: "TOKEN" });
    console.log(doors.length, String(secret));`;
  writeFileSync(join(folder, "use.mjs"), program);
  const env = { PATH: process.env["PATH"] ?? "", TOKEN: randomToken() };
  const used = spawnSync(process.execPath, ["use.mjs"], { cwd: folder, env, encoding: "utf8" });
  expect([used.stdout, used.stderr]).toEqual([`${doors.length} [REDACTED:TOKEN]\n`, ""]);
  const command = ["run", "--secret", "TOKEN", "--", "sh", "-c", "echo $TOKEN"];
  const run = spawnSync(bin, command, { cwd: folder, env, encoding: "utf8" });
  expect([run.status, run.stdout]).toEqual([0, "[REDACTED:TOKEN]\n"]);
  const missing = spawnSync(bin, ["run", "--env-file", "none", "--", "true"], { cwd: folder, env });
  expect([missing.status, String(missing.stderr)]).toEqual([
    78,
    "nopeek: none does not exist; check the path\n",
  ]);
  expect(statSync(join(folder, tarball ?? "")).size).toBeLessThan(1 << 20);
});

it("carries the programs of the shim beside the code that reads them", async () => {
  const built = await import(join(root, "dist/adapters/modal/shim/source.js"));
  const { shimSource } = await import("../adapters/modal/shim/source.ts");
  expect(built.shimSource()).toEqual(shimSource());
  expect(shimSource().boot).toContain("memfd_create");
});

it("loads no heavy package for the core, the adapter of the environment and a run", () => {
  const hook = `
    import { register } from "node:module";
    const source = \`export async function resolve(name, context, next) {
      if (/^(zod|dotenv|yaml|jiti|modal|@aws-sdk|@google-cloud)/.test(name)) throw new Error("loaded " + name);
      return next(name, context);
    }\`;
    register("data:text/javascript," + encodeURIComponent(source));`;
  const args = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`];
  const env = { PATH: process.env["PATH"] ?? "", TOKEN: randomToken() };
  const bin = join(root, "dist/src/cli/bin.js");
  const run = ["--", bin, "run", "--secret", "TOKEN", "--", "true"];
  const clean = spawnSync(process.execPath, [...args, ...run], {
    env,
    cwd: emptyFolder(),
    encoding: "utf8",
  });
  expect([clean.status, clean.stderr]).toEqual([0, ""]);
  // Control: a dotenv file needs its parser, and the hook sees it.
  const withFile = ["--", bin, "run", "--env-file", ".env", "--", "true"];
  const cwd = emptyFolder({ ".env": "A=1\n" });
  expect(spawnSync(process.execPath, [...args, ...withFile], { env, cwd }).status).not.toBe(0);
});
