import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** The floors of the house: a folder imports only folders on lower floors, through their door. */
const floors: readonly (readonly string[])[] = [
  ["src/secrets", "src/paths"],
  ["src/detect", "src/audit"],
  ["src/redact"],
  ["src/log", "src/monitor", "src/scan", "src/rotate", "src/artifact"],
  ["src/launch", "src/incident", "src/gate"],
  ["src/config"],
  ["src/cli"],
];
const adapters = "adapters";

const files = ["src", "adapters"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`),
);

/** `src/cli` of `src/cli/run.ts`; all adapters count as one place. */
const placeOf = (file: string) =>
  file.startsWith("adapters/") ? adapters : file.split("/").slice(0, 2).join("/");
const floorOf = (place: string) => floors.findIndex((floor) => floor.includes(place));

function importsOf(file: string): { specifier: string; target: string }[] {
  const text = readFileSync(join(root, file), "utf8");
  const found = text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g);
  return [...found].map(([, specifier = ""]) => ({
    specifier,
    target: specifier.startsWith(".")
      ? relative(root, resolve(root, dirname(file), specifier))
      : "",
  }));
}

it("knows every folder", () => {
  const places = new Set(files.map(placeOf).filter((place) => place !== "src/index.ts"));
  for (const place of places) {
    expect([...floors.flat(), adapters], `${place} has no floor`).toContain(place);
  }
});

it.each(files)("%s imports only what is below it, through its door", (file) => {
  const from = placeOf(file);
  for (const { specifier, target } of importsOf(file)) {
    if (target === "" || placeOf(target) === from) continue;
    const to = placeOf(target);
    const isDoor = target === `${to}/index.ts`;
    if (from === "src/index.ts") {
      expect(target).toBe("src/secrets/index.ts");
    } else if (from === adapters) {
      expect(isDoor, `${file} imports ${specifier}`).toBe(true);
    } else if (to === adapters) {
      expect(from, `${file} imports ${specifier}`).toBe("src/cli");
    } else {
      expect(isDoor, `${file} imports ${specifier}, which is no door`).toBe(true);
      expect(floorOf(to), `${file} imports ${specifier} from above`).toBeLessThan(floorOf(from));
    }
  }
});

const clouds = /^(?:modal|@aws-sdk\/|@google-cloud\/|google-gax|@grpc\/)/;
/** Loaded at first use: each costs a start-up time that most runs need not pay. */
const lazy = /^(?:zod|dotenv|yaml|jiti|pg)$/;

it.each(files)("%s loads clouds and heavy packages at first use, and only where it may", (file) => {
  const text = readFileSync(join(root, file), "utf8");
  const eager = [...text.matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from\s+"([^"]+)"/gms)];
  const isSchema = file === "src/config/schema.ts";
  for (const [, specifier = ""] of eager) {
    expect(clouds.test(specifier), `${file} imports ${specifier}`).toBe(false);
    if (!isSchema) expect(lazy.test(specifier), `${file} imports ${specifier}`).toBe(false);
  }
  if (file.startsWith("src/")) {
    for (const { specifier } of importsOf(file)) expect(clouds.test(specifier)).toBe(false);
  }
});

it("src/ asks no scheme what to do", () => {
  for (const file of files.filter((name) => name.startsWith("src/"))) {
    expect(readFileSync(join(root, file), "utf8"), file).not.toMatch(/scheme\s*===\s*["']/);
  }
});
