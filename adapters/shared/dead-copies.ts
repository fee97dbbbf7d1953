import type { Root } from "../../src/paths/index.ts";

/** The name that a file has until it is whole: `writeFile` of a root gives it. */
const copyName = /^\.nopeek-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** Writing a dotenv file takes a fraction of this. */
const deadAfterMs = 60_000;

/**
 * Removes what writers that were killed left in a folder: each is a copy of a whole dotenv file. Only
 * regular files are removed that belong to this user or the owner of the file, and that nobody has
 * changed for a minute. What cannot be removed stays.
 *
 * @param owner - The owner of the dotenv file.
 */
export async function removeDeadCopies(root: Root, owner: number): Promise<void> {
  const owners: readonly (number | undefined)[] = [owner, process.getuid?.()];
  for (const name of await root.readdir(".").catch(() => [])) {
    if (!copyName.test(name)) continue;
    try {
      const info = await root.lstat(name);
      const isDead = Date.now() - info.mtimeMs > deadAfterMs;
      if (info.isFile() && isDead && owners.includes(info.uid))
        await root.rm(name, { force: true });
    } catch {
      // The change itself does not need it, and the next one may be removed.
    }
  }
}
