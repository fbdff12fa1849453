import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'demo/src/**/*.test.ts'],
    pool: 'forks',
    // What is built is loaded as it is.
    server: { deps: { external: [/\/dist\//] } },
    maxWorkers: 2,
    // Two workers compute at once; each with all processors would keep the other waiting.
    env: { ISOMETRY_THREADS: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
