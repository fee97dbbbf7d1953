import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bin, emptyFolder, root } from "./support/command.ts";
import { randomToken } from "./support/values.ts";

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

/** A project of a user: nopeek installed, a .env, and a training script. */
function project(): { folder: string; env: Record<string, string> } {
  const values = {
    HF_TOKEN: randomToken("hf_"),
    WANDB_API_KEY: randomToken(""),
    SESSION_KEY: randomToken(""),
  };
  const dotenv = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  const folder = emptyFolder({
    ".env": `${dotenv.join("")}PORT=8080\n`,
    "base.env": dotenv.join(""),
    "prod.env": dotenv.join(""),
    "train.log": `token ${values.HF_TOKEN}\n`,
    "train.py": "",
  });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/nopeek"));
  mkdirSync(join(folder, "bin"));
  writeFileSync(
    join(folder, "bin/nopeek"),
    `#!/bin/sh\nexec "${process.execPath}" -- "${bin}" "$@"\n`,
  );
  // Stands for the interpreter: prints what a training script must not.
  writeFileSync(join(folder, "bin/python"), '#!/bin/sh\necho "training with $HF_TOKEN"\n');
  for (const name of ["nopeek", "python"]) chmodSync(join(folder, "bin", name), 0o755);
  const path = `${join(folder, "bin")}:${process.env["PATH"]}`;
  return {
    folder,
    env: { PATH: path, HF_TOKEN: values.HF_TOKEN, MY_HF_TOKEN: values.HF_TOKEN, HOME: folder },
  };
}

it("every command of the README runs and prints no secret", () => {
  const { folder, env } = project();
  const commands = blocks("README.md", "sh")
    .flatMap((block) => block.trim().split("\n"))
    .filter((line) => !executedElsewhere.has(line));
  expect(commands.length).toBeGreaterThan(8);
  for (const command of commands) {
    // The configuration that `nopeek init` writes is replaced by the one the README shows.
    if (command.startsWith("nopeek run train")) {
      writeFileSync(join(folder, "nopeek.config.ts"), blocks("README.md", "ts")[0] ?? "");
    }
    const run = spawnSync("sh", ["-c", command], { cwd: folder, env, encoding: "utf8" });
    expect([command, run.status]).toEqual([command, 0]);
    expect(run.stdout + run.stderr).not.toContain(env["HF_TOKEN"]);
    if (command.includes("python"))
      expect(run.stdout).toContain("training with [REDACTED:HF_TOKEN]");
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
