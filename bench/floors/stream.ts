/**
 * What a raw libp2p stream carries between two processes: TCP, noise and yamux as the product has
 * them, pieces of 256 KiB, nothing else done with them. The receiver is a process of its own.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { noise } from '@chainsafe/libp2p-noise'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const PROTOCOL = '/bench/1'
const PIECE_BYTES = 256 << 10
/** As the product's: below what an unread stream may hold. */
const WINDOW_BYTES = 2 << 20

function node(listen: readonly string[]) {
  return createLibp2p({
    addresses: { listen: [...listen] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: WINDOW_BYTES } })],
  })
}

/** MB/s of so many MiB over one stream. */
export async function streamFloor(mebibytes: number): Promise<number> {
  const receiver = fork(import.meta.filename, ['receive', `${mebibytes}`])
  const [address] = (await once(receiver, 'message')) as [string]
  const sender = await node([])
  const stream = await sender.dialProtocol(multiaddr(address), PROTOCOL)
  const received = once(receiver, 'message')
  const piece = new Uint8Array(PIECE_BYTES)
  const begin = performance.now()
  for (let sent = 0; sent < mebibytes << 20; sent += piece.length)
    if (!stream.send(piece)) await drained(stream)
  await received
  const MBs = (mebibytes << 20) / 1e3 / (performance.now() - begin)
  receiver.kill()
  await once(receiver, 'exit')
  await sender.stop()
  return MBs
}

/** The promise of `onDrain` of this libp2p holds only once. */
function drained(stream: Stream): Promise<unknown> {
  return new Promise(resolve => stream.addEventListener('drain', resolve, { once: true }))
}

async function receive(mebibytes: number): Promise<void> {
  const receiver = await node(['/ip4/127.0.0.1/tcp/0'])
  await receiver.handle(PROTOCOL, stream => {
    let left = mebibytes << 20
    stream.addEventListener('message', ({ data }) => {
      left -= data.byteLength
      if (left <= 0) process.send?.('all')
    })
  })
  process.send?.(receiver.getMultiaddrs()[0]!.toString())
}

const [role, mebibytes = '0'] = process.argv.slice(2)
if (role === 'receive' && import.meta.filename === process.argv[1]) await receive(Number(mebibytes))
