/** Misspelt options and plain strings are errors of the compiler. Never run. */
import { defineMounts, openRoot, openRootSync, type SafePath, safeJoin } from "nopeek/paths";

const mounts = defineMounts({
  "/data": { env: "DATA_DIR", volume: "datasets", readOnly: true },
  "/out": { dir: "/srv/out", volume: "runs", readOnly: false, subPath: "run-1" },
  "/models": { bucket: { name: "models", keyPrefix: "llm" }, readOnly: true },
});
export const joined: SafePath = mounts.join("/data", "x");
export const safe: SafePath = safeJoin("/srv", "x");

// @ts-expect-error a plain string is no SafePath
export const plain: SafePath = "/data/x";
// @ts-expect-error no declared mount
mounts.join("/nope", "x");
// @ts-expect-error no declared mount
mounts.openRootSync("/data/x");
// @ts-expect-error readOnly is required
defineMounts({ "/data": { volume: "datasets" } });
// @ts-expect-error readOnly is no text
defineMounts({ "/data": { volume: "datasets", readOnly: "false" } });
// @ts-expect-error misspelt: readOnly
defineMounts({ "/data": { volume: "datasets", readOnly: true, readonly: true } });
// @ts-expect-error misspelt: subPath
defineMounts({ "/data": { volume: "datasets", readOnly: true, subpath: "x" } });
// @ts-expect-error misspelt: keyPrefix
defineMounts({ "/data": { bucket: { name: "models", prefix: "llm" }, readOnly: true } });
// @ts-expect-error misspelt: within
defineMounts({}, { inside: ["/data"] });

const root = openRootSync("/srv", { symlinks: "follow", hardLinks: "refuse" });
export const bytes: Buffer = root.readFileSync("x");
export const text: string = root.readFileSync("x", "utf8");
// @ts-expect-error misspelt: hardLinks
openRootSync("/srv", { hardlinks: "refuse" });
// @ts-expect-error misspelt: refuse
await openRoot("/srv", { symlinks: "reject" });
// @ts-expect-error misspelt: recursive
root.mkdirSync("x", { recursiv: true });
// @ts-expect-error no such flags
root.openSync("x", "rw");
// @ts-expect-error a root is not made by hand
new (root.constructor as typeof import("nopeek/paths").Root)();
