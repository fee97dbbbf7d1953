/**
 * What the adapters of cloud stores have in common. Not exported from the package.
 *
 * @module
 */
export { crc32c } from "./crc32c.ts";
export { mapLimited, withDeadline } from "./deadline.ts";
export { assertValueSize } from "./document.ts";
export { assertSafeEndpoint } from "./endpoint.ts";
export { importPeer } from "./import-peer.ts";
