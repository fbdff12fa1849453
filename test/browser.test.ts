/** What computes runs in a browser too: its rooms bundle without anything of Node. */
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const rooms = [
  'graph/index.ts',
  'graph/to-onnx.ts',
  'losses/index.ts',
  'metrics/index.ts',
  'mining/index.ts',
  'encoders/index.ts',
  'optimizers/index.ts',
  'onnx/codec.ts',
  'runtime/session.ts',
  'weights/safetensors.ts',
]

test.each(rooms)('%s bundles for the browser', async (room) => {
  const { metafile, errors } = await build({
    entryPoints: [join(import.meta.dirname, '..', 'src', room)],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    // Left as imports, so that the test can see them all.
    plugins: [
      {
        name: 'node',
        setup: ({ onResolve }) => onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true })),
      },
    ],
  })
  expect(errors).toEqual([])
  const inputs = Object.entries(metafile.inputs)
  const foreign = inputs.flatMap(([file, { imports }]) =>
    imports
      .filter(({ path }) => /^node:|onnxruntime-node|sharp/.test(path))
      .map(({ path }) => `${file} imports ${path}`),
  )
  expect(foreign).toEqual([])
  expect(inputs.length).toBeGreaterThan(1)
})
