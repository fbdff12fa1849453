/** Outputs that are written to where they are wanted, and not copied once more. */

/**
 * onnxruntime-node writes outputs into the memory that a caller gives for them, and then copies each, in the order of the
 * graph, into new memory that nobody asked for. At an output that is no tensor it stops with an error, and by then all has
 * been computed and written. So a graph whose first output, of this name, is an empty sequence runs without a single copy;
 * whoever runs it has to give memory for all others.
 */
export const FIRST = 'uncopied'

/** What the binding says of an output that is no tensor. */
const STOPPED = /^Non tensor type/

/** Names of outputs without the one that is there to stop the binding. */
export function readable(outputNames: readonly string[]): readonly string[] {
  return outputNames.filter((name) => name !== FIRST)
}

/** Whether an error of a run means that all went well, and nothing was copied. */
export function isUncopied(outputNames: readonly string[], error: unknown): boolean {
  return outputNames[0] === FIRST && error instanceof Error && STOPPED.test(error.message)
}
