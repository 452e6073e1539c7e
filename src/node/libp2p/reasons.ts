/**
 * Why a dial failed, in a sentence for a person: libp2p's errors name its own layers, and several
 * addresses fail together.
 */

/** One sentence for whatever a dial rejected with. */
export function dialSentence(error: unknown): string {
  const errors = leaves(error)
  if (errors.some(({ name }) => name === 'EncryptionFailedError')) {
    return 'It answers, but not as a member of this network: its network key is another, or its identity.'
  }
  // Each round of dials begins at another address: the sentence stays the same, and is said once.
  const reasons = [...new Set(errors.map(shortReason))].toSorted()
  return `No address of it answers: ${reasons.join('; ')}.`
}

function leaves(error: unknown): Error[] {
  if (error instanceof AggregateError) return error.errors.flatMap(leaves)
  // Who waits for room on a connection is given the event of its end, which may name an error.
  if (error instanceof Event) return 'error' in error ? leaves(error.error) : leaves(undefined)
  if (error === undefined || error === null) return [new Error('the connection was closed')]
  return [error instanceof Error ? error : new Error(String(error))]
}

function shortReason({ name, message }: Error): string {
  if (name === 'NoValidAddressesError') return 'there is none that can be dialled'
  if (name === 'TimeoutError' || name === 'AbortError') return 'time out'
  return message.replace(/^connection error [^ ]*: /, '')
}
