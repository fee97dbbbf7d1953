import type { Detector, Severity } from "./rule.ts";

/** From bad to something to look at. */
export const severities: readonly Severity[] = ["critical", "high", "warning", "review"];

/** How bad a finding of each detector is, unless its rule says otherwise. */
export const detectors: Readonly<Record<Detector, { readonly severity: Severity }>> = {
  "credential-leak": { severity: "critical" },
  "secret-exposure": { severity: "high" },
  "path-traversal": { severity: "review" },
  "shell-injection": { severity: "review" },
};
