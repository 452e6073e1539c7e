/**
 * What one hop through a Unix socket costs: a byte there and back, one at a time; and gets/s of a
 * bare LevelDB behind such a hop, 64 in flight, which nothing that keeps its data in LevelDB behind
 * a socket can exceed. The server is a process of its own, as a daemon is.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Level } from 'level'
import { makeFolder, removeFolder } from '../daemon.ts'
import { pump } from '../pump.ts'
import { TEXT_BYTES, textOf } from '../texts.ts'

const ROUND_TRIPS = 5000
const IN_FLIGHT = 64

/** Round trips/s of one byte, one at a time. */
export async function hopFloor(): Promise<number> {
  return await behindSocket('echo', 0, async socket => {
    const begin = performance.now()
    for (let i = 0; i < ROUND_TRIPS; i++) {
      const answered = new Promise(resolve => socket.once('data', resolve))
      socket.write('x')
      await answered
    }
    return ROUND_TRIPS / ((performance.now() - begin) / 1000)
  })
}

/** Gets/s of texts from a LevelDB of so many. */
export async function levelHopFloor(keys: number, seconds: number): Promise<number> {
  return await behindSocket('level', keys, async socket => {
    const waiting: (() => void)[] = []
    let bytes = 0
    socket.on('data', piece => {
      bytes += piece.length
      for (; bytes >= TEXT_BYTES; bytes -= TEXT_BYTES) waiting.shift()?.()
    })
    const get = () =>
      new Promise<void>(resolve => {
        waiting.push(resolve)
        socket.write(`key/${Math.floor(Math.random() * keys)}\n`)
      })
    return (await pump({ inFlight: IN_FLIGHT, seconds }, get)).perSecond
  })
}

async function behindSocket(
  what: 'echo' | 'level',
  keys: number,
  use: (socket: Socket) => Promise<number>,
): Promise<number> {
  const folder = makeFolder()
  const server = fork(import.meta.filename, ['serve', what, folder, `${keys}`])
  await once(server, 'message')
  const socket = connect(join(folder, 'socket'))
  await once(socket, 'connect')
  const perSecond = await use(socket)
  socket.destroy()
  server.kill()
  await once(server, 'exit')
  removeFolder(folder)
  return perSecond
}

/** The server: echoes, or answers a line that is a key with its text, in the order of the lines. */
async function serve(what: string, folder: string, keys: number): Promise<void> {
  const db = new Level<string, string>(join(folder, 'db'))
  if (what === 'level') {
    const texts = Array.from({ length: keys }, (_, n) => `key/${n}`)
    await db.batch(texts.map(key => ({ type: 'put' as const, key, value: textOf(key) })))
  }
  const answer = (socket: Socket) => {
    if (what === 'echo') return void socket.pipe(socket)
    let rest = ''
    let turn: Promise<unknown> = Promise.resolve()
    socket.on('data', piece => {
      const lines = (rest + piece.toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const got = db.get(line)
        turn = turn.then(async () => socket.write((await got) ?? ''))
      }
    })
  }
  createServer(answer).listen(join(folder, 'socket'), () => process.send?.('listening'))
}

const [role, what = '', folder = '', keys = '0'] = process.argv.slice(2)
if (role === 'serve' && import.meta.filename === process.argv[1])
  await serve(what, folder, Number(keys))
