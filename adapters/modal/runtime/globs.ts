/**
 * A pattern for a glob of paths: `*` and `?` stay within a name, `**` crosses folders. A glob
 * without `/` is meant in every folder; one that names a folder takes all that is in it.
 */
export function pathPattern(glob: string): RegExp {
  const anywhere = glob.replace(/\/$/, "").includes("/") ? "" : "(?:.*/)?";
  const source = glob
    .replace(/^\.?\//, "")
    .replace(/\/$/, "")
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*\*\/|\*\*|\*|\?/g, (part) => wildcards[part] ?? part);
  return new RegExp(`^${anywhere}${source}(?:/.*)?$`, "s");
}

const wildcards: Readonly<Record<string, string>> = {
  "**/": "(?:.*/)?",
  "**": ".*",
  "*": "[^/]*",
  "?": "[^/]",
};
