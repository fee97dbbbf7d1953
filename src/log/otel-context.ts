import type { Redactor } from "../redact/index.ts";

/** What a vendor's systems hand on beside the ids of a trace: a list of `key=value`. */
interface TraceState {
  get(key: string): string | undefined;
  set(key: string, value: string): TraceState;
  unset(key: string): TraceState;
  serialize(): string;
}

/** The context of a span with its trace state masked; the given one if there is nothing to mask. */
export function withMaskedState<Context extends object | undefined>(
  context: Context,
  redactor: Redactor,
): Context {
  const state = (context as { traceState?: TraceState } | undefined)?.traceState;
  if (typeof state?.serialize !== "function") return context;
  const masked = maskedState(state, redactor);
  return masked === state ? context : { ...context, traceState: masked };
}

function maskedState(state: TraceState, redactor: Redactor): TraceState {
  const text = state.serialize();
  const masked = redactor.redact(text);
  if (masked === text) return state;
  const members = masked.split(",").map((member): [string, string] => {
    const at = member.indexOf("=");
    return [member.slice(0, at).trim(), member.slice(at + 1).trim()];
  });
  const values = new Map(members);
  return {
    get: (key) => values.get(key),
    set: (key, value) => maskedState(state.set(key, value), redactor),
    unset: (key) => maskedState(state.unset(key), redactor),
    serialize: () => masked,
  };
}
