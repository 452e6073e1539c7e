/**
 * Rules about the repository as a whole: every dependency has a reason that people can read, exact
 * versions from the public registry, no path of anybody's machine in any file, and no document
 * that points to what is not there.
 */
import { posix } from 'node:path'
import type { Finding } from './sources.ts'

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** Dependencies without a line of reason in CONTRIBUTING.md, lines without a dependency, ranges. */
export function checkDependencies(manifest: Manifest, contributing: string): Finding[] {
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies }
  const reasons = new Map<string, { line: number; reason: string }>()
  for (const [index, line] of contributing.split('\n').entries()) {
    const row = /^\|\s*`([^`]+)`\s*\|\s*(.*?)\s*\|$/.exec(line)
    if (row !== null) reasons.set(row[1]!, { line: index + 1, reason: row[2]! })
  }
  const findings: Finding[] = []
  for (const [name, version] of Object.entries(wanted)) {
    if (!/\w+ \w+/.test(reasons.get(name)?.reason ?? ''))
      findings.push({ path: 'CONTRIBUTING.md', line: 1, sentence: `gives no reason for ${name}` })
    if (!/^\d+\.\d+\.\d+$/.test(version))
      findings.push({ path: 'package.json', line: 1, sentence: `${name} ${version} is not exact` })
  }
  for (const [name, { line }] of reasons)
    if (!(name in wanted))
      findings.push({ path: 'CONTRIBUTING.md', line, sentence: `${name} is no dependency` })
  return findings
}

/** Packages for which the lock file names a place: whoever installs chooses where they come from. */
export function checkLockFile(lockText: string): Finding[] {
  return lockText.split('\n').flatMap((line, index) => {
    const from = /"resolved": "([^"]+)"/.exec(line)?.[1]
    if (from === undefined) return []
    return [{ path: 'package-lock.json', line: index + 1, sentence: 'names where it comes from' }]
  })
}

/** Home folders and working folders, wherever one begins. */
const machinePath = /(?<![\w.\-/~$}])(?:\/(?:home|Users|root|work)\/[\w.]|[A-Z]:\\+Users\\)/g

/** Paths of somebody's machine; `checkout` is where this repository lies now. */
export function checkMachinePaths(path: string, text: string, checkout: string): Finding[] {
  return text.split('\n').flatMap((line, index) => {
    const isHere = checkout.length > 1 && line.includes(`${checkout.replace(/\/$/, '')}/`)
    if (!isHere && line.match(machinePath) === null) return []
    return [{ path, line: index + 1, sentence: 'names a path of one machine' }]
  })
}

/** Links of a document to files that are not there; `exists` is asked for paths from the root. */
export function checkLinks(
  path: string,
  text: string,
  exists: (path: string) => boolean,
): Finding[] {
  return text.split('\n').flatMap((line, index) =>
    [...line.matchAll(/\]\((?![a-z]+:|#)([^)\s#]+)/g)]
      .map(match => posix.join(posix.dirname(path), match[1]!))
      .filter(target => !exists(target))
      .map(target => ({
        path,
        line: index + 1,
        sentence: `links to ${target}, which is not there`,
      })),
  )
}
