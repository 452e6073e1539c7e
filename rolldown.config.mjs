/**
 * The command line as a few files: `dist/cli` with all that it imports goes into `dist/bin`. Finding
 * and reading 500 modules is most of the time that a command, and the start of a daemon, would
 * take (docs/decisions/0022). Programs that embed a member import `dist/index.js`, which stays as it is.
 */
import { defineConfig } from 'rolldown'

export default defineConfig({
  input: {
    main: 'dist/cli/main.js',
    // Started as a thread, by its place beside the rest.
    'survey-thread': 'dist/storage/survey-thread.js',
  },
  platform: 'node',
  // Loads its native part from beside itself.
  external: ['classic-level'],
  output: {
    dir: 'dist/bin',
    format: 'esm',
    chunkFileNames: '[name].js',
    comments: { legal: true },
  },
})
