/** Encoders from ONNX files on disk, with the data that lie beside them. */
import { open as openFile, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import type { Encoder } from '../encoders/encoder.ts'
import { type ImportOptions, importEncoder } from '../encoders/imported/encoder.ts'
import { DataError } from '../errors.ts'
import { readModel } from '../onnx/codec.ts'
import type { Model, Tensor } from '../onnx/schema.ts'
import { byteLength, checkTensor, locationOf } from '../onnx/tensors.ts'
import { open } from '../runtime/node.ts'

export interface ReadEncoderOptions extends ImportOptions {
  readonly threads?: number | undefined
}

/**
 * Makes an encoder of an ONNX file that anyone exported, of operator sets 13 to 26, to be trained like any other. Float32
 * initialisers with at least one axis are its parameters. Its one input of images [n, 1 or 3, height, width] takes pixels;
 * other inputs are fed by their names. Batch and token axes may be open.
 *
 * @throws DataError if the file cannot be read, is damaged, has data outside of its directory, or holds what cannot be
 *   trained, by operator, node and reason; UsageError if an option does not go with it.
 */
export async function readEncoder(path: string, options: ReadEncoderOptions = {}): Promise<Encoder> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new DataError(`${path} cannot be read: ${error.message}. Name an ONNX file.`, { cause: error })
  })
  const model = await withExternalData(readModel(bytes), path)
  const encoder = await importEncoder(model, options, async (constants) => {
    const program = await open(constants, { threads: 1 })
    try {
      return await program.run({})
    } finally {
      await program.release()
    }
  })
  return { ...encoder, settings: { file: basename(path), ...encoder.settings } }
}

/** The model with all data in itself. */
async function withExternalData(model: Model, path: string): Promise<Model> {
  const directory = await realpath(dirname(path))
  const initializers: Tensor[] = []
  for (const initializer of model.graph.initializers) {
    checkTensor(initializer)
    const location = locationOf(initializer)
    initializers.push(
      location
        ? { ...initializer, externalData: [], dataLocation: 0, rawData: await readPart(initializer, directory) }
        : initializer,
    )
  }
  return { ...model, graph: { ...model.graph, initializers } }
}

/** The bytes of a tensor, from the file that it names; sizes are compared before anything is read. */
async function readPart(tensor: Tensor, directory: string): Promise<Uint8Array> {
  const { path, offset, length } = locationOf(tensor)!
  const expected = byteLength(tensor)
  const name = tensor.name ?? ''
  if (expected === undefined || (length !== undefined && length !== expected)) {
    throw new DataError(
      `The initialiser ${name} of shape [${tensor.dimensions.join(', ')}] is said to have ${length} bytes in ${path}; expected ${expected}. The file is damaged: export it again.`,
    )
  }
  const file = await realpath(join(directory, path)).catch(() => {
    throw new DataError(
      `The data of the initialiser ${name} should be in ${path} beside the model, which is not there. Put it there.`,
    )
  })
  // A link could lead out of the directory that the name stays in.
  if (relative(directory, file).split(sep)[0] === '..') {
    throw new DataError(
      `${path}, the data of the initialiser ${name}, leads out of the model's directory. Put the file itself there.`,
    )
  }
  const found = await stat(file)
  if (!found.isFile()) {
    throw new DataError(
      `The data of the initialiser ${name} should be in ${path} beside the model, which is a directory or device. Put the file there.`,
    )
  }
  const { size } = found
  if (offset + expected > size) {
    throw new DataError(
      `${path} has ${size} bytes; the initialiser ${name} needs ${expected} from byte ${offset}. The file is incomplete: copy it again.`,
    )
  }
  const handle = await openFile(file).catch((error: Error) => {
    throw new DataError(`${path}, the data of the initialiser ${name}, cannot be read: ${error.message}.`, {
      cause: error,
    })
  })
  try {
    const bytes = new Uint8Array(expected)
    await handle.read(bytes, 0, expected, offset)
    return bytes
  } finally {
    await handle.close()
  }
}
