import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'demo/src/**/*.test.ts'],
    pool: 'forks',
    // What is built is loaded as it is.
    server: { deps: { external: [/\/dist\//] } },
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
