import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { deserialize } from "node:v8";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bin, emptyFolder, root } from "./support/command.ts";
import { strayValues } from "./support/modal.ts";
import { randomToken, valuesMade } from "./support/values.ts";

const documents = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"];
const text = (name: string) => readFileSync(join(root, name), "utf8");

function blocks(name: string, language: string): string[] {
  const found = text(name).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"));
  return [...found].map(([, body = ""]) => body);
}

/** Commands that another test, or the run of this test, executes. */
const executedElsewhere = new Map([
  ["npm ci && npm start", "test/examples.test.ts runs what npm start runs"],
]);

/** A server that stands for Modal: a process of its own, since the commands are waited for. */
let modal: {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly env: Record<string, string>;
};
let programs = "";

beforeAll(async () => {
  programs = mkdtempSync(join(tmpdir(), "nopeek-test-"));
  makePython(programs);
  const server = `
    import { serialize } from "node:v8";
    import { startModal } from ${JSON.stringify(join(root, "dist/adapters/testing/index.js"))};
    const server = await startModal();
    server.seedSecret("training", { HF_TOKEN: process.env.HF_TOKEN });
    console.log(JSON.stringify(server.env()));
    process.stdin.on("end", async () => {
      await server.close();
      console.log(serialize(server.calls).toString("base64"));
    }).resume();`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", server], {
    // Version managers of Python would put their own program before ours.
    env: { PATH: `${programs}:/usr/local/bin:/usr/bin:/bin`, HF_TOKEN: randomToken("hf_") },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  modal = { child, lines, env: JSON.parse((await lines.next()).value) };
});

afterAll(async () => {
  const gone = new Promise((settle) => modal.child.once("exit", settle));
  modal.child.stdin?.end();
  const calls = deserialize(Buffer.from((await modal.lines.next()).value, "base64"));
  await gone;
  expect(calls.length).toBeGreaterThan(5);
  expect(strayValues(calls, valuesMade())).toEqual([]);
  rmSync(programs, { recursive: true });
});

/** Stands for the interpreter: prints what a training script must not. */
function makePython(folder: string): void {
  writeFileSync(join(folder, "python"), '#!/bin/sh\necho "training with $HF_TOKEN"\n', {
    mode: 0o755,
  });
}

/** A project of a user: nopeek installed, a .env, and a training script. */
function project(): { folder: string; env: Record<string, string> } {
  const values = {
    HF_TOKEN: randomToken("hf_"),
    WANDB_API_KEY: randomToken(""),
    SESSION_KEY: randomToken(""),
  };
  const dotenv = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  // One level down: an audit log is kept outside the folder of the run.
  const outer = emptyFolder();
  const folder = join(outer, "project");
  const files = {
    ".env": `${dotenv.join("")}PORT=8080\n`,
    "base.env": dotenv.join(""),
    "prod.env": dotenv.join(""),
    "train.log": `token ${values.HF_TOKEN}\n`,
    "train.py": "",
    "train.mjs": 'console.log("training with", process.env.HF_TOKEN);',
  };
  renameSync(emptyFolder(files), folder);
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/nopeek"));
  for (const name of ["pino", "winston"]) {
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  mkdirSync(join(folder, "bin"));
  writeFileSync(
    join(folder, "bin/nopeek"),
    `#!/bin/sh\nexec "${process.execPath}" -- "${bin}" "$@"\n`,
  );
  writeFileSync(join(folder, "page-me.sh"), "#!/bin/sh\ncat > alert.json\n", { mode: 0o700 });
  makePython(join(folder, "bin"));
  chmodSync(join(folder, "bin/nopeek"), 0o755);
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "src/train.py"), "");
  const path = `${join(folder, "bin")}:${process.env["PATH"]}`;
  return {
    folder,
    env: {
      ...modal.env,
      PATH: path,
      HF_TOKEN: values.HF_TOKEN,
      MY_HF_TOKEN: values.HF_TOKEN,
      NOPEEK_AUDIT_KEY: randomToken("", 64),
      XDG_STATE_HOME: join(outer, "state"),
      HOME: folder,
    },
  };
}

it("every command of the README runs and prints no secret", () => {
  const { folder, env } = project();
  const commands = blocks("README.md", "sh")
    .flatMap((block) => block.trim().split("\n"))
    .filter((line) => !executedElsewhere.has(line));
  expect(commands.length).toBeGreaterThan(8);
  const config = join(folder, "nopeek.config.ts");
  for (const command of commands) {
    // The configuration that `nopeek init` writes is replaced by the one the README shows.
    if (/^nopeek (?:run train|rotate)/.test(command)) {
      writeFileSync(config, blocks("README.md", "ts")[0] ?? "");
    }
    // Its volumes do not exist on this server.
    if (command.includes("--on modal")) rmSync(config, { force: true });
    const run = spawnSync("sh", ["-c", command], { cwd: folder, env, encoding: "utf8" });
    expect([command, run.status]).toEqual([command, 0]);
    expect(run.stdout + run.stderr).not.toContain(env["HF_TOKEN"]);
    if (/python|train\.mjs/.test(command))
      expect(run.stdout).toMatch(/training with \[REDACTED:(?:MY_)?HF_TOKEN\]/);
  }
  for (const command of executedElsewhere.keys()) {
    const script = /npm (\w+)$/.exec(command)?.[1] ?? "";
    expect(JSON.parse(text("package.json")).scripts).toHaveProperty(script);
  }
});

it("every code block of the README runs", () => {
  const { folder, env } = project();
  const jiti = join(root, "node_modules/jiti/lib/jiti-cli.mjs");
  for (const [index, block] of blocks("README.md", "ts").entries()) {
    const file = join(folder, `block-${index}.ts`);
    writeFileSync(file, block);
    const options = {
      cwd: folder,
      env: { ...env, JITI_FS_CACHE: "false" },
      encoding: "utf8",
      input: "",
    } as const;
    const run = spawnSync(process.execPath, [jiti, file], options);
    expect([block, run.status, run.stderr]).toEqual([block, 0, ""]);
    expect(run.stdout).not.toContain(env["HF_TOKEN"]);
  }
});

it("every command of CONTRIBUTING.md is a script", () => {
  const { scripts } = JSON.parse(text("package.json"));
  for (const block of blocks("CONTRIBUTING.md", "sh")) {
    for (const [, script = ""] of block.matchAll(/npm run (\w+)/g))
      expect(scripts).toHaveProperty(script);
  }
});

it("every link inside the repository leads somewhere", () => {
  for (const name of documents) {
    for (const [, target = ""] of text(name).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      expect([name, target, existsSync(join(root, target))]).toEqual([name, target, true]);
    }
  }
});
