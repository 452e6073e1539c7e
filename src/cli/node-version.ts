/**
 * Stops at once, with a clear sentence, on a Node that cannot run Veche. This is the first module
 * that the command line evaluates, and it must import nothing: on an old Node the rest would fail
 * with something that helps nobody.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(
    `veche needs Node 22.15 or newer, and this is Node ${process.versions.node}. ` +
      'Install a newer one, or run it from a checkout with: npx veche\n',
  )
  process.exit(2)
}
