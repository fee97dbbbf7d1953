/**
 * One text for both forms of an operation: it is written as steps, each of which knows how to run
 * on this thread and on the thread pool.
 */

interface Step {
  now(): unknown;
  later(): Promise<unknown>;
}

/** An operation that waits at some of its steps. */
export type Steps<T> = Generator<Step, T, unknown>;

/** One call of the system. */
export function* step<T>(now: () => T, later: () => Promise<T>): Steps<T> {
  return (yield { now, later }) as T;
}

/** What needs no waiting, in either form. */
export function* atOnce<T>(act: () => T): Steps<T> {
  return yield* step(act, async () => act());
}

/** Runs an operation to its end on this thread. */
export function runNow<T>(steps: Steps<T>): T {
  let turn = steps.next();
  while (!turn.done) {
    let result: unknown;
    try {
      result = turn.value.now();
    } catch (error) {
      turn = steps.throw(error);
      continue;
    }
    turn = steps.next(result);
  }
  return turn.value;
}

/** Runs an operation; its steps run on the thread pool. */
export async function runLater<T>(steps: Steps<T>): Promise<T> {
  let turn = steps.next();
  while (!turn.done) {
    let result: unknown;
    try {
      result = await turn.value.later();
    } catch (error) {
      turn = steps.throw(error);
      continue;
    }
    turn = steps.next(result);
  }
  return turn.value;
}
