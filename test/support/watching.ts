/** A watch with everything it does written down. */
import {
  createMonitor,
  type Incident,
  type MonitorEvent,
  type MonitoredFinding,
  type MonitorOptions,
  type Watch,
} from "nopeek/monitor";

export interface Watched {
  readonly watch: Watch;
  readonly events: MonitorEvent[];
  readonly lines: string[];
  readonly halts: number;
  /** Ends the watch and gives its incident. */
  end(): Promise<Incident | undefined>;
}

/** Watches a run that was given the secrets with these fingerprints. */
export function watching(
  options: MonitorOptions = {},
  injected: readonly string[] = ["f-OURS"],
): Watched {
  const [events, lines]: [MonitorEvent[], string[]] = [[], []];
  let halts = 0;
  const monitor = createMonitor({ record: (event) => void events.push(event), ...options });
  const watch = monitor.watch({
    runId: "run-1",
    isInjected: ({ fingerprint }) => injected.includes(fingerprint),
    say: (line) => void lines.push(line),
  });
  watch.guard(() => halts++);
  return {
    watch,
    events,
    lines,
    get halts() {
      return halts;
    },
    end: () => watch.end(),
  };
}

/** A finding of a known value, whole and long, under its own fingerprint. */
export function valueFinding(name: string, more: Partial<MonitoredFinding> = {}): MonitoredFinding {
  const base = { form: "raw", strength: "strong", confidence: "exact" } as const;
  return { name, ...base, fingerprint: `f-${name}`, ...more };
}

/** What a rule found. */
export function ruleFinding(rule: string, more: Partial<MonitoredFinding> = {}): MonitoredFinding {
  return { rule, confidence: "format", fingerprint: `f-${rule}`, ...more };
}
