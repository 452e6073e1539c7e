/**
 * The address of a Unix socket whose path is longer than the system's 107 bytes. On Linux the
 * folder is opened and the socket is named through it, so that a store may lie as deep as it likes;
 * elsewhere such a path is refused (it would be cut off and make another file). Used by both ends,
 * which lend it the file system.
 */
import { utf8 } from '../base/bytes.ts'
import { VecheError } from '../base/veche-error.ts'

/** What sockaddr_un of Linux holds; others hold less by four. */
const pathBytesMax = { linux: 107, other: 103 } as const

/** What is needed of the operating system. */
export interface AddressSystem {
  /** As `process.platform`. */
  readonly platform: string
  /** Opens a folder and answers its descriptor; throws as `fs.openSync` does. */
  open(folder: string): number
  close(descriptor: number): void
}

export interface SocketAddress {
  /** To bind or connect to, until `release`. */
  readonly path: string
  release(): void
}

/** The address of a socket file. Throws BAD_REQUEST, NOT_FOUND, NO_PERMISSION. */
export function socketAddress(path: string, system: AddressSystem): SocketAddress {
  const isLinux = system.platform === 'linux'
  const limit = isLinux ? pathBytesMax.linux : pathBytesMax.other
  if (utf8(path).length <= limit) return { path, release: () => undefined }
  const nameAt = path.lastIndexOf('/') + 1
  const name = path.slice(nameAt)
  if (!isLinux || nameAt === 0 || utf8(name).length > 64)
    throw new VecheError(
      'BAD_REQUEST',
      `The path of a socket has at most ${limit} bytes here, and ${path} has more: choose ` +
        'a folder with a shorter path for the store.',
      { path, limit },
    )
  const folder = openFolder(path.slice(0, nameAt), system)
  return { path: `/proc/self/fd/${folder}/${name}`, release: () => system.close(folder) }
}

function openFolder(folder: string, system: AddressSystem): number {
  try {
    return system.open(folder)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'EACCES')
      throw new VecheError('NO_PERMISSION', `May not open the folder ${folder}.`, {}, error)
    throw new VecheError('NOT_FOUND', `There is no folder ${folder}.`, {}, error)
  }
}
