/**
 * The package entry: what other programs import. `connect` speaks to a running member through its
 * control socket. Everything else in this package is internal and may change.
 */
export { type ErrorCode, isVecheError, VecheError } from './base/veche-error.ts'
export { type Client, type ConnectOptions, connect } from './client/client.ts'
export type { ByteSource, Download } from './client/transfer.ts'
export type { WatchOptions } from './client/watch.ts'
export type * from './control/protocol.ts'
export type * from './control/protocol-network.ts'
