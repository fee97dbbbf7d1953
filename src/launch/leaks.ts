import type { Watch } from "../monitor/index.ts";
import type { Finding } from "../redact/index.ts";
import type { RunAudit } from "./audit.ts";
import type { LaunchOptions, Leak } from "./options.ts";
import type { ContainerFinding } from "./runtime.ts";
import { type Redactions, Tally } from "./tally.ts";
import { tell } from "./tell.ts";

/** Who is told of leaks. */
export interface LeakListeners {
  readonly watch: Watch;
  readonly audit: RunAudit | undefined;
  readonly listener: LaunchOptions["onLeak"];
}

/** Takes the findings of a run, from wherever they come, to all who are told of them. */
export class Leaks {
  readonly #to: LeakListeners;
  readonly #tally = new Tally();

  constructor(to: LeakListeners) {
    this.#to = to;
  }

  /** Something was found in the output, here. */
  inOutput(finding: Finding, stream: Leak["stream"]): void {
    this.#take({ ...finding, stream, where: "output", count: 1 });
  }

  /** The runtime's own guard masked something before it left the container. */
  inContainer({ name, form, strength, fingerprint, stream, count }: ContainerFinding): void {
    this.#take({
      name,
      rule: undefined,
      form,
      strength,
      confidence: "exact",
      detector: undefined,
      severity: undefined,
      isMasked: true,
      fingerprint,
      offset: 0,
      stream,
      where: "container",
      count,
    });
  }

  get redactions(): Redactions {
    return this.#tally.redactions;
  }

  #take(leak: Leak): void {
    const { watch, audit, listener } = this.#to;
    watch.masked(leak, leak.stream, leak.count);
    // What is to be reviewed is no leak: the monitor alone deals with it.
    if (!leak.isMasked) return;
    this.#tally.add(leak, leak.count);
    const fingerprint = audit?.log.fingerprintFor(leak.fingerprint) ?? leak.fingerprint;
    audit?.finding({ ...leak, fingerprint });
    tell(listener, { ...leak, fingerprint });
  }
}
