// `npm run build`: tsc writes types and code, rolldown joins the code, one file for each door and a
// few shared ones: Node spends about a millisecond on every module, and there are over a hundred.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const doors = Object.values(exports).flatMap((target) => target["nopeek:source"] ?? []);
// It reads files beside itself, so it is a file of its own, and they are put beside it.
const shim = "./adapters/modal/shim/source.ts";
const pythonFiles = ["adapters/modal/shim/boot.py", "adapters/modal/shim/shim.py"];
const entries = [...doors, "./src/cli/bin.ts", shim].map((path) => path.slice(2, -3));
const tsc = (...args) => execFileSync("node_modules/.bin/tsc", args, { stdio: "inherit" });

/**
 * Takes Node's own modules from the process: as an import, each costs a wrapper with all its names,
 * a third of the time that the code itself takes to load.
 */
const builtins = {
  name: "builtins",
  renderChunk: (code) =>
    code.replace(/^import (.+) from "(node:[\w/]+)";$/gm, (_, what, id) => {
      const module = `process.getBuiltinModule("${id}")`;
      const [, whole, names] = /^(?:\* as )?([\w$]+)?(?:, )?(\{.*\})?$/.exec(what);
      return [whole, names?.replaceAll(" as ", ": ")]
        .filter(Boolean)
        .map((target) => `const ${target} = ${module};`)
        .join(" ");
    }),
};

rmSync("dist", { recursive: true, force: true });
tsc("--emitDeclarationOnly");
const code = mkdtempSync(join("node_modules", ".nopeek-build-"));
try {
  tsc("--outDir", code, "--declaration", "false", "--declarationMap", "false");
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((name) => [name, `./${join(code, name)}.js`])),
    // Packages stay imports: what is optional or heavy is loaded at its first use.
    external: (id) => !id.startsWith(".") && !id.startsWith("/"),
    platform: "node",
    plugins: [builtins],
    treeshake: { moduleSideEffects: false },
  });
  await bundle.write({
    dir: "dist",
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: ({ moduleIds }) =>
      moduleIds.some((id) => id.endsWith("/adapters/modal/shim/source.js"))
        ? "adapters/modal/shim/[name]-[hash].js"
        : "chunks/[name]-[hash].js",
  });
  await bundle.close();
} finally {
  rmSync(code, { recursive: true, force: true });
}
for (const file of pythonFiles) cpSync(file, `dist/${file}`);
chmodSync("dist/src/cli/bin.js", 0o755);
