import { type Job, launcherId } from "../../../src/launch/index.ts";

/** The mark of every sandbox that nopeek made. */
export const markTag = { nopeek: "run" } as const;
export const runTag = "nopeek-run";
export const launcherTag = "nopeek-launcher";
const jobTag = "nopeek-job";

/** The tags of a job's sandbox: by them it is found when its launcher is gone. */
export function tagsOf(
  { runId, name }: Job,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...own,
    ...markTag,
    [runTag]: runId,
    [launcherTag]: launcherId(),
    ...(name !== undefined && { [jobTag]: name }),
  };
}
