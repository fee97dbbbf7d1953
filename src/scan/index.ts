/**
 * Looks for secrets in files and trees, plain and gzip. Exported as `nopeek/scan`.
 *
 * @module
 */
export type { ScanFinding, ScanOptions, ScanResult, SkippedFile } from "./options.ts";
export { scan } from "./scan.ts";
export { shownName } from "./shown-name.ts";
