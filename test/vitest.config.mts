import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that take longest, so that none of them is left alone at the end. */
const long = /(types|atomic|model|outage|lossless|package|stores|demo|script|examples|nodes)\.test\.ts$/

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => long.test(moduleId)
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

/** Tests import the package by its own name, and so run on the build that is shipped, not on a transformed copy of it. */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['**/*.test.ts'],
    setupFiles: ['support/guard.ts'],
    server: { deps: { external: [/\/dist\//, /node_modules/] } },
    pool: 'forks',
    maxWorkers: 3, // One more than the cores of a small machine: much of the time tests wait.
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000, // Twice what Playwright waits, which says for what.
    hookTimeout: 120_000,
  },
})
