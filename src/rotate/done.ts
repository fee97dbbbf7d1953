import type { RotationEvent } from "./events.ts";
import type { RotationStep } from "./options.ts";

/** What a run has done, in the words and the order of the plan; what was done twice is said once. */
export function stepsDone(events: readonly RotationEvent[]): RotationStep[] {
  const steps: RotationStep[] = [];
  const revoked = new Set(events.map((event) => event.type === "revoked" && event.version));
  const isPromoted = events.some(({ type }) => type === "promoted");
  const hasVersions = events.some(
    (event) => event.type === "created" && event.version !== undefined,
  );
  for (const event of events) {
    // That what was revoked does not work any more goes without saying.
    if (event.type === "tested" && !event.works && revoked.has(event.version ?? false)) continue;
    if (event.type === "finished" && isPromoted) continue;
    // A key is tested before it is stored, and again as a version.
    if (event.type === "tested" && event.version === undefined && hasVersions) continue;
    const step = stepOf(event);
    const isNamed = !("version" in event) || event.version !== undefined;
    const isSaid = isNamed && steps.some(({ text }) => text === step?.text);
    if (step !== null && !isSaid) steps.push(step);
  }
  return steps;
}

function stepOf(event: RotationEvent): RotationStep | null {
  switch (event.type) {
    case "created":
      return {
        step: "create",
        text:
          event.version === undefined ? "made a new credential" : `stored ${named(event.version)}`,
      };
    case "resumed":
      return { step: "create", text: `went on with ${named(event.version)}` };
    case "set":
      return { step: "set", text: `${named(event.version)} is accepted` };
    case "tested": {
      const outcome = event.works ? "works" : "does not work";
      return { step: "test", text: `${named(event.version)} ${outcome}` };
    }
    case "promoted":
    case "finished":
      return { step: "finish", text: `${named(event.version)} is current` };
    case "copy-updated":
      return { step: "publish", text: `updated ${event.copy}` };
    case "revoked":
      return { step: "revoke", text: `revoked ${named(event.version)}` };
    case "orphan-revoked":
      return { step: "revoke", text: "revoked a key that no version refers to" };
    default:
      return null;
  }
}

function named(version: string | undefined): string {
  return version === undefined ? "the credential" : `version ${version}`;
}
