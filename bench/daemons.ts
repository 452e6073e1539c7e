/**
 * Three real daemons on loopback for the benchmarks, with a client each, and figures of their
 * processes. Everything goes through the control socket, as a program would do it.
 */
import { readFileSync } from 'node:fs'
import { type Client, connect } from '../src/index.ts'
import { Lab, type LabMember } from '../test/support/lab.ts'

export interface Daemons {
  readonly lab: Lab
  readonly members: readonly LabMember[]
  readonly clients: readonly Client[]
  end(): Promise<void>
}

/** Starts a network of `count` members on loopback and waits until all are Source. */
export async function startDaemons(count: number): Promise<Daemons> {
  const lab = Lab.create({ members: count, namespaces: false })
  await lab.form(['--listen', '/ip4/127.0.0.1/tcp/0'], {}, ['--no-mdns'])
  const clients = await Promise.all(lab.members.map(member => connect({ store: member.store })))
  return {
    lab,
    members: lab.members,
    clients,
    async end() {
      await Promise.all(clients.map(client => client.close()))
      await lab.end()
    },
  }
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(found?.[1] ?? 0) * 1024
}

/** Processor seconds that a process has used. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
