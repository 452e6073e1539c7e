/**
 * A broken invariant is a bug of ours: it throws, the process ends, and it stays on in production.
 * What a stranger or a disk can cause is never an invariant: that is a refusal or a fault.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Ends the process (by throwing) when `condition` is false. */
export function invariant(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new InvariantError(sentence)
}

/** Closes a switch: the compiler refuses a kind that was forgotten. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable value: ${JSON.stringify(value)}`)
}
