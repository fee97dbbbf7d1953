/** Paths that a root has to follow or refuse, after what the tests of Go's `os.Root` assert. */

/** Where a path leads: below the root to this name, or to an error. */
export type Outcome = { readonly to: string } | { readonly fails: readonly string[] };

export interface Row {
  readonly name: string;
  readonly tree?: readonly string[];
  readonly path: string;
  /** With links refused. */
  readonly strict: Outcome;
  /** With links followed; default: as with links refused. */
  readonly follow?: Outcome;
  /** The last name is a link, which some operations are about themselves. */
  readonly endsInLink?: true;
}

export const to = (name: string): Outcome => ({ to: name });
export const fails = (...codes: string[]): Outcome => ({ fails: codes });
const leaving = fails("PATH_ESCAPE");
const link = fails("PATH_SYMLINK");
/** A link below the root, which leads to where Go finds it. */
const followed = (name: string) => ({ strict: link, follow: to(name) });
const loop = { strict: link, follow: fails("ELOOP") };
const leaves = { strict: link, follow: leaving };
/** `..` is refused with links refused, and resolved with links followed. */
const dotted = (name: string) => ({ strict: leaving, follow: to(name) });

const chain = Array.from({ length: 60 }, (_, index) => `link${index} => link${index + 1}`);

export const rows: readonly Row[] = [
  // Plain
  { name: "a plain name", path: "target", strict: to("target") },
  { name: "a path of folders", tree: ["a/b/"], path: "a/b/target", strict: to("a/b/target") },
  { name: "single dots", tree: ["a/"], path: "./a/././target", strict: to("a/target") },
  { name: "repeated slashes", tree: ["a/"], path: "a///target", strict: to("a/target") },
  { name: "a name of three dots", path: "...", strict: to("...") },
  { name: "a name that starts with dots", path: "..target", strict: to("..target") },
  // Not below the root
  { name: "the empty path", path: "", strict: fails("PATH_INVALID") },
  { name: "an absolute path", path: "/etc/hostname", strict: leaving },
  { name: "an absolute path with two slashes", path: "//etc/hostname", strict: leaving },
  { name: "the parent", path: "../target", strict: leaving },
  { name: "the parent itself", path: "..", strict: leaving },
  { name: "the parent with a slash", path: "../", strict: leaving },
  { name: "the parent after a folder", tree: ["a/"], path: "a/../../target", strict: leaving },
  { name: "the parent, and back", path: "../root/target", strict: leaving },
  { name: "many parents", tree: ["a/b/c/"], path: "a/b/c/../../../../target", strict: leaving },
  // Dots below the root
  { name: "back from a folder", tree: ["a/"], path: "a/../target", ...dotted("target") },
  { name: "back twice", tree: ["a/b/"], path: "a/b/../../target", ...dotted("target") },
  {
    name: "back to a sibling",
    tree: ["a/b/", "c/"],
    path: "a/b/../../c/target",
    ...dotted("c/target"),
  },
  {
    name: "back from what does not exist",
    path: "none/../target",
    strict: leaving,
    follow: fails("ENOENT"),
  },
  {
    name: "back from a file",
    tree: ["file"],
    path: "file/../target",
    strict: leaving,
    follow: fails("ENOTDIR"),
  },
  // Links below the root
  {
    name: "a link",
    tree: ["link => target"],
    path: "link",
    endsInLink: true,
    ...followed("target"),
  },
  {
    name: "a link in a folder",
    tree: ["a/link => target"],
    path: "a/link",
    endsInLink: true,
    ...followed("a/target"),
  },
  {
    name: "a chain of links",
    tree: ["link => b", "b => c/d", "c/d => ../e", "e => f/", "f/"],
    path: "link/target",
    ...followed("f/target"),
  },
  {
    name: "a link to a folder",
    tree: ["link => a", "a/"],
    path: "link/target",
    ...followed("a/target"),
  },
  {
    name: "a link to a folder, with a slash",
    tree: ["link => a/", "a/"],
    path: "link/target",
    ...followed("a/target"),
  },
  {
    name: "a link back",
    tree: ["a/b/link => ../../c", "c/"],
    path: "a/b/link/target",
    ...followed("c/target"),
  },
  {
    name: "a link to its own folder",
    tree: ["a/link => ."],
    path: "a/link/target",
    ...followed("a/target"),
  },
  {
    name: "a link to the root",
    tree: ["a/link => .."],
    path: "a/link/target",
    ...followed("target"),
  },
  {
    name: "dots after a link",
    tree: ["link => a/b", "a/b/", "a/"],
    path: "link/../target",
    strict: leaving,
    follow: to("a/target"),
  },
  {
    name: "a link with dots inside",
    tree: ["a/b/", "link => a/b/../../target"],
    path: "link",
    endsInLink: true,
    ...followed("target"),
  },
  // Links out of the root
  {
    name: "a link to the parent",
    tree: ["link => ../target"],
    path: "link",
    endsInLink: true,
    ...leaves,
  },
  { name: "a link to the parent folder", tree: ["link => .."], path: "link/target", ...leaves },
  {
    name: "a link out and back in",
    tree: ["link => ../root/target"],
    path: "link",
    endsInLink: true,
    ...leaves,
  },
  {
    name: "a link to an absolute path",
    tree: ["link => /etc/hostname"],
    path: "link",
    endsInLink: true,
    ...leaves,
  },
  {
    name: "a link to an absolute folder",
    tree: ["link => /etc"],
    path: "link/hostname",
    ...leaves,
  },
  {
    name: "an absolute link in a chain",
    tree: ["link => a", "a => /etc"],
    path: "link/hostname",
    ...leaves,
  },
  {
    name: "dots that a link adds up to",
    tree: ["a/link => ../..", "a/"],
    path: "a/link/target",
    ...leaves,
  },
  // Loops
  { name: "a link to itself", tree: ["link => link"], path: "link", endsInLink: true, ...loop },
  {
    name: "two links to each other",
    tree: ["link => b", "b => link"],
    path: "link",
    endsInLink: true,
    ...loop,
  },
  { name: "a loop of folders", tree: ["link => link/x"], path: "link/target", ...loop },
  { name: "too many links", tree: chain, path: "link0", endsInLink: true, ...loop },
  // Not there, or not a folder
  { name: "a missing folder", path: "none/target", strict: fails("ENOENT") },
  { name: "a file as a folder", tree: ["file"], path: "file/target", strict: fails("ENOTDIR") },
  {
    name: "a link to nothing, as a folder",
    tree: ["link => none"],
    path: "link/target",
    strict: link,
    follow: fails("ENOENT"),
  },
];
