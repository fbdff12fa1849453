// Compiles src/ to dist/ and leaves the command executable, so that `npx isometry` works in the checkout.
import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'

const root = dirname(import.meta.dirname)
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

rmSync(join(root, 'dist'), { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)

const page = { bundle: true, minify: true, format: 'iife', target: 'es2022', legalComments: 'none' }

// The script of the report's page, with the charting library in it: one file that is put into each page.
await build({
  ...page,
  entryPoints: [join(root, 'src', 'report', 'browser', 'charts.ts')],
  outfile: join(root, 'dist', 'report', 'charts.js'),
  banner: { js: '/* With Apache ECharts (Apache License 2.0), ZRender (BSD 3-Clause) and tslib (0BSD). */' },
})
// The script of the server's page.
await build({
  ...page,
  entryPoints: [join(root, 'src', 'serve', 'browser', 'page.ts')],
  outfile: join(root, 'dist', 'serve', 'browser.js'),
})
chmodSync(join(root, 'dist', 'cli', 'main.js'), 0o755)
