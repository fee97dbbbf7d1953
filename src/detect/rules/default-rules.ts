import { assignments } from "./formats/assignments.ts";
import { clouds } from "./formats/clouds.ts";
import { codeHosts } from "./formats/code-hosts.ts";
import { models } from "./formats/models.ts";
import { operations } from "./formats/operations.ts";
import { policy } from "./formats/policy.ts";
import { services } from "./formats/services.ts";
import { structures } from "./formats/structures.ts";
import { trackers } from "./formats/trackers.ts";
import type { RulePack } from "./rule.ts";

/** The formats that are known without configuration. */
export const defaultRules: RulePack = {
  name: "default",
  rules: [
    ...clouds,
    ...codeHosts,
    ...models,
    ...trackers,
    ...services,
    ...operations,
    ...structures,
    ...assignments,
    ...policy,
  ],
};
