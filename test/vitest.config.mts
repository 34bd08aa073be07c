import { defineConfig } from 'vitest/config'

/** Tests import the package by its own name, and so run on the build that is shipped, not on a transformed copy of it. */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['**/*.test.ts'],
    setupFiles: ['support/guard.ts'],
    server: { deps: { external: [/\/dist\//, /node_modules/] } },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 120_000,
  },
})
