/**
 * The small parts of the libp2p network: keys, addresses, sentences, the guard of the process.
 */
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { toHex, utf8 } from '../../../src/base/bytes.ts'
import { dialable, ownAddresses } from '../../../src/node/libp2p/addresses.ts'
import {
  generatePrivateKey,
  memberIdOf,
  quickSigner,
  readPrivateKey,
} from '../../../src/node/libp2p/keys.ts'
import { gossipTopic } from '../../../src/node/libp2p/node.ts'
import { guardProcess } from '../../../src/node/libp2p/process-guard.ts'
import { dialSentence } from '../../../src/node/libp2p/reasons.ts'

const id = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
const other = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'

test('a private key has 68 bytes, is never the same, and gives one member id', async () => {
  const key = await generatePrivateKey()
  expect(key.length).toBe(68)
  expect(toHex(await generatePrivateKey())).not.toBe(toHex(key))
  expect(memberIdOf(key)).toBe(memberIdOf(key.slice()))
  expect(memberIdOf(key)).toMatch(/^12D3KooW/)
})

test('the form of a private key stays readable: protobuf of the 64 bytes of Ed25519', () => {
  const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
  const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
  const bytes = Buffer.from(`08011240${seed}${publicKey}`, 'hex')
  expect(memberIdOf(new Uint8Array(bytes))).toBe(
    '12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV',
  )
})

test('what is signed with a key that OpenSSL keeps has the signature of libp2p, which verifies it', async () => {
  for (const length of [0, 1, 519, 5000]) {
    const key = readPrivateKey(await generatePrivateKey())
    const quick = quickSigner(key)
    const message = Uint8Array.from({ length }, (_, at) => at & 255)
    const signature = await quick.sign(message)
    expect(Buffer.from(signature).toString('hex')).toBe(
      Buffer.from(await key.sign(message)).toString('hex'),
    )
    expect(await quick.publicKey.verify(message, signature)).toBe(true)
    expect(await quick.publicKey.verify(Uint8Array.of(...message, 1), signature)).toBe(false)
  }
})

test('bytes that are no Ed25519 key are damage, not a crash', () => {
  for (const bytes of [new Uint8Array(0), utf8('hello'), new Uint8Array(68).fill(8)])
    expect(() => readPrivateKey(bytes)).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
})

test('own addresses name us, those of this machine alone come last, link-local ones are left out', () => {
  const listening = [
    '/ip4/127.0.0.1/tcp/4001',
    '/ip6/fe80::1/tcp/4001',
    '/ip4/192.168.1.7/tcp/4001',
    '/ip4/8.8.4.4/tcp/4001',
    '/ip4/192.168.1.7/tcp/4001',
  ].map(text => multiaddr(text))
  expect(ownAddresses(listening, id)).toEqual([
    `/ip4/192.168.1.7/tcp/4001/p2p/${id}`,
    `/ip4/8.8.4.4/tcp/4001/p2p/${id}`,
    `/ip4/127.0.0.1/tcp/4001/p2p/${id}`,
  ])
})

test('of the addresses given for a peer only its own and readable ones are dialled', () => {
  const addresses = [
    '/ip4/10.0.0.1/tcp/1',
    `/dns4/example.org/tcp/2/p2p/${id}`,
    `/ip4/10.0.0.1/tcp/3/p2p/${other}`,
    'nonsense',
    `/p2p/${id}`,
    '/unix/%2Frun%2Fa.sock',
    '/dnsaddr/example.org',
    '/ip4/10.0.0.1/udp/4/quic-v1',
    `/ip4/10.0.0.1/tcp/5/p2p/${other}/p2p-circuit`,
    '',
  ]
  expect(dialable(addresses, id).map(String)).toEqual([
    `/ip4/10.0.0.1/tcp/1/p2p/${id}`,
    `/dns4/example.org/tcp/2/p2p/${id}`,
  ])
})

test('why a dial failed is one sentence, each reason once', () => {
  const refused = (port: number) =>
    new Error(`connection error 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`)
  const timeout = Object.assign(new Error('x'), { name: 'TimeoutError' })
  expect(dialSentence(new AggregateError([refused(1), timeout, timeout]))).toBe(
    'No address of it answers: connect ECONNREFUSED 127.0.0.1:1; time out.',
  )
  const key = Object.assign(new Error('handshake'), { name: 'EncryptionFailedError' })
  expect(dialSentence(new AggregateError([refused(1), key]))).toContain('network key is another')
  const closed = 'No address of it answers: the connection was closed.'
  expect(dialSentence(new Event('close'))).toBe(closed)
  expect(dialSentence(Object.assign(new Event('close'), { error: undefined }))).toBe(closed)
  const reset = Object.assign(new Event('close'), { error: new Error('read ECONNRESET') })
  expect(dialSentence(reset)).toBe('No address of it answers: read ECONNRESET.')
})

test('the topic of a network follows from its key and does not show it', () => {
  const key = new Uint8Array(32).fill(7)
  expect(gossipTopic(key)).toBe(gossipTopic(key.slice()))
  expect(gossipTopic(key)).not.toBe(gossipTopic(new Uint8Array(32)))
  expect(gossipTopic(key)).not.toContain(toHex(key).slice(0, 8))
})

test('the guard goes on after a stream fault inside libp2p and ends the process for everything else', () => {
  const calls: string[] = []
  const before = process.listeners('uncaughtException')
  const remove = guardProcess({
    log: (level, sentence) => calls.push(`${level} ${sentence}`),
    fatal: error => calls.push(`fatal ${String(error)}`),
  })
  const [guard] = process.listeners('uncaughtException').filter(l => !before.includes(l))
  const raise = (error: Error) => guard?.(error, 'uncaughtException')
  raise(Object.assign(new Error('closed'), { name: 'StreamStateError' }))
  expect(calls).toEqual([expect.stringContaining('used after its end')])
  raise(new Error('bug'))
  raise(new Error('bug again'))
  expect(calls.slice(1)).toEqual([expect.stringContaining('ends this process'), 'fatal Error: bug'])
  remove()
  expect(process.listeners('uncaughtException')).toEqual(before)
})
