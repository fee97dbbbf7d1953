/** A listener that throws must not cost the job or its output. */
export function tell<T>(listener: ((value: T) => void) | undefined, value: T): void {
  try {
    listener?.(value);
  } catch {
    process.emitWarning("nopeek: a listener of a launch threw an error, which was ignored");
  }
}
