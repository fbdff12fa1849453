/** The errors that Isometry throws. A message names the thing, what was found, what was expected and what to do. */

/** Every error of this library is one of these; anything else that is thrown is a defect. */
export class IsometryError extends Error {
  override readonly name: string = 'IsometryError'

  constructor(message: string, options?: ErrorOptions) {
    // Names out of damaged files may hold line ends and escape sequences, which are no business of a terminal.
    super(message.replace(/\p{Cc}/gu, ' '), options)
  }
}

/** A setting, argument or combination of them that makes no sense. The command line exits with 2. */
export class UsageError extends IsometryError {
  override readonly name = 'UsageError'
}

/** Shapes or types that do not fit, found while a graph is built. */
export class GraphError extends IsometryError {
  override readonly name = 'GraphError'
}

/** Files, folders or arrays whose content cannot be used. */
export class DataError extends IsometryError {
  override readonly name = 'DataError'
}

/** ONNX Runtime refused a graph or failed to run it. */
export class RuntimeError extends IsometryError {
  override readonly name: string = 'RuntimeError'
}

/** Work that was stopped by its caller through an `AbortSignal`. */
export class InterruptedError extends IsometryError {
  override readonly name = 'InterruptedError'
}
