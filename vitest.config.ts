import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
    pool: 'forks',
    // Tests with real processes wait most of the time, so every core has a file of its own.
    maxWorkers: availableParallelism(),
    setupFiles: ['test/support/fast-check-seed.ts'],
    // Real processes on a busy machine: on CI a red test is tried again; the report says which needed it.
    retry: process.env['CI'] === 'true' ? 2 : 0,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
})
