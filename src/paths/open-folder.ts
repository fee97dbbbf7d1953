import type { Folder } from "./ground.ts";
import { HeldRoot } from "./held-root.ts";
import { atOnce, type Steps } from "./steps.ts";
import { errnoOf, systemError } from "./system-error.ts";
import { Link, reach, readTarget } from "./walk.ts";

/** Opens a folder below a root as a root of its own, under the same rules. */
export function* openFolder(root: HeldRoot, path: string): Steps<HeldRoot> {
  const { ground, rules } = root;
  return yield* reach(root, path, function* ({ at, name }): Steps<HeldRoot | Link> {
    let folder: Folder;
    try {
      folder = yield* atOnce(() => ground.enter(at));
    } catch (error) {
      const code = errnoOf(error);
      if (code !== "ENOTDIR" && code !== "ELOOP") throw error;
      const target = name === "." ? null : readTarget(at);
      if (target !== null) return new Link(target);
      throw systemError("ENOTDIR", "open", path);
    }
    try {
      root.assertSameMount(folder, path);
      return new HeldRoot(ground, folder, rules);
    } catch (error) {
      ground.leave(folder);
      throw error;
    }
  });
}
