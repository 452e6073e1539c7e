/**
 * The doors of the demo: a small TCP proxy before each member, through which all others reach it.
 * A cut is made here and nowhere else: connections are dropped and new ones are turned away, as a
 * pulled cable or a dead router would do. The members know nothing of it.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const HOST = '127.0.0.1'

export class Door {
  readonly #server: Server
  readonly #passing = new Set<Socket>()
  /** What the others are told to dial; known once the door is open. */
  address = ''
  #targetPort = 0
  #isShut = false

  private constructor() {
    this.#server = createServer(near => this.#enter(near))
  }

  /** Opens a door on a free port; it leads nowhere until `leadTo`. */
  static async open(): Promise<Door> {
    const door = new Door()
    await new Promise<void>((resolve, reject) => {
      door.#server.once('error', reject)
      door.#server.listen(0, HOST, resolve)
    })
    door.address = `/ip4/${HOST}/tcp/${(door.#server.address() as AddressInfo).port}`
    return door
  }

  /** Connections that stand now. */
  get connections(): number {
    return this.#passing.size
  }

  /** A multiaddr of the member behind this door. */
  leadTo(listen: string): void {
    this.#targetPort = Number(/\/tcp\/(\d+)/.exec(listen)?.[1])
  }

  /** Turns away whoever comes from now on; connections that stand are left alone. */
  shut(): void {
    this.#isShut = true
  }

  reopen(): void {
    this.#isShut = false
  }

  /** Drops all connections that stand. */
  drop(): void {
    for (const near of this.#passing) near.destroy()
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    this.drop()
    await closed
  }

  #enter(near: Socket): void {
    near.on('error', () => near.destroy()) // one of the two went away; `close` follows
    if (this.#isShut) {
      near.destroy()
      return
    }
    const far = connect(this.#targetPort, HOST)
    far.on('error', () => far.destroy())
    this.#passing.add(near)
    near.on('close', () => {
      this.#passing.delete(near)
      far.destroy()
    })
    far.on('close', () => near.destroy())
    near.setNoDelay(true)
    far.setNoDelay(true)
    near.pipe(far)
    far.pipe(near)
  }
}
