/**
 * Strangers at both doors: programs at the control socket that send half lines, noise, floods or read
 * nothing; and machines of the network that connect to the members' port with noise, half
 * handshakes or silence. They are nobody's clients, so nothing of theirs is on the tape but that
 * they came. The member must go on as if they were not there.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { Daemon } from '../daemon.ts'
import type { Dice } from '../dice.ts'
import { run } from '../tools.ts'
import { type FaultKind, uuids, type World } from './fault.ts'

const SOCKETS = 20

/** What a stranger at the control socket sends. */
const LINES: readonly (() => string | Buffer)[] = [
  () => '{"jsonrpc":"2.0","id":1,"method":"put","params":{"id":"half',
  () => randomBytes(4000),
  () => `${'['.repeat(100_000)}\n`,
  () => '{"jsonrpc":"2.0","id":1,"method":"upload","params":{"id":"lost","size":1000000}}\nhalf',
  () => '{"jsonrpc":"2.0","id":1,"method":"list"}\n'.repeat(2000),
  () =>
    '{"jsonrpc":"2.0","id":1,"method":"put","params":{"id":"x","txt":"misspelt"}}\n'.repeat(500),
  () => `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x'.repeat(1_000_000) })}\n`,
]

function socketTo(daemon: Daemon): Socket {
  const socket = connect(daemon.member.socket)
  socket.on('error', () => socket.destroy()) // it may be cut off, or its daemon be gone
  socket.pause()
  return socket
}

const clients: FaultKind = {
  name: 'hostile clients',
  weight: 2,
  run: async (world, dice) => {
    const daemon = upOne(world, dice)
    if (daemon === null) return false
    const stop = world.tape.lasting('hostile clients', uuids([daemon]))
    const sockets = Array.from({ length: SOCKETS }, () => socketTo(daemon))
    for (const socket of sockets) socket.write(dice.pick(LINES)())
    await world.phase.wait(dice.int(500, 6000))
    for (const socket of sockets) socket.destroy()
    stop()
    return true
  },
}

/** Runs inside another member's namespace: node is not needed for a few bytes. */
const PEERS = `
use strict; use IO::Socket::INET; my ($host, $port, $count, $ms) = @ARGV; my @held;
my @said = ("\\x13/multistream/1.0.0\\n", "\\x13/multistream/1.0.0\\n\\x07/noise\\n", "GET / HTTP/1.1\\r\\n\\r\\n", "");
for my $at (1..$count) {
  my $s = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => 2) or next;
  $s->send($said[rand @said]);
  if (rand() < 0.6) { $s->send(join('', map { chr(int(rand(256))) } 1..(1 + rand 3000))); }
  if (rand() < 0.3) { $s->send("\\x00\\x20" . ("A" x 32)); }
  if (rand() < 0.5) { push @held, $s; } else { close $s; }
}
select(undef, undef, undef, $ms / 1000);
`

const peers: FaultKind = {
  name: 'hostile peers',
  weight: 2,
  run: async (world, dice) => {
    const daemon = upOne(world, dice)
    if (daemon === null) return false
    const ports = await portsOf(daemon)
    if (ports.length === 0) return false
    const from = dice.pick(world.daemons.filter(other => other !== daemon))
    const stop = world.tape.lasting('hostile peers', uuids([daemon]))
    const { namespace } = from.member
    const { address } = daemon.member
    const script = ['perl', '-e', `$SIG{PIPE} = 'IGNORE'; ${PEERS}`]
    const args = [address, String(dice.pick(ports)), String(dice.int(5, 60)), '2000']
    await run('ip', ['netns', 'exec', namespace!, ...script, ...args])
    stop()
    return true
  },
}

function upOne(world: World, dice: Dice): Daemon | null {
  const up = world.daemons.filter(({ isUp }) => isUp)
  return up.length === 0 ? null : dice.pick(up)
}

/** Where a member listens. */
async function portsOf(daemon: Daemon): Promise<number[]> {
  const { namespace } = daemon.member
  const table = await run('ip', ['netns', 'exec', namespace!, 'cat', '/proc/net/tcp'])
  const ports = [...table.matchAll(/: [0-9A-F]{8}:([0-9A-F]{4}) [0-9A-F]{8}:0000 0A /g)]
  return ports.map(([, port]) => Number.parseInt(port!, 16))
}

export const strangerFaults: readonly FaultKind[] = [clients, peers]
