import { defineConfig } from 'vitest/config'

/** The deep sizes take their time. */
const timeoutMs = process.env.VECHE_DEEP === '1' ? 3_600_000 : 60_000

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'sim/**/*.test.ts'],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    pool: 'forks',
  },
})
