/**
 * A member's disk: a small ext4 in a file, mounted over a loop device, with what can befall it from
 * outside. It can be filled to the last byte, and its power can be cut in two ways, both of which
 * keep what was fsync'd and forget what the kernel had not written yet. Runs inside the lab's own
 * mount namespace, so that nothing stays mounted whatever happens to the lab.
 */
import { mkdirSync, renameSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './tools.ts'

const DISK_MIB = 192
/** `_IOR('X', 125, __u32)`: ext4 stops at once; 2: without writing its log out. */
const SHUTDOWN = 0x8004587d
const NO_LOG_FLUSH = 2
/** Of nothing but zeros, so it takes no time: ext4 without writing its tables out. */
const QUICK = ['-q', '-F', '-E', 'lazy_itable_init=1,nodiscard', '-m', '0']

export class LoopDisk {
  readonly folder: string
  readonly #image: string

  private constructor(folder: string, image: string) {
    this.folder = folder
    this.#image = image
  }

  /** Makes and mounts a disk; its content is in `folder`. */
  static async create(base: string, name: string): Promise<LoopDisk> {
    const disk = new LoopDisk(join(base, name), join(base, `${name}.img`))
    mkdirSync(disk.folder)
    writeFileSync(disk.#image, '')
    truncateSync(disk.#image, DISK_MIB * 1024 * 1024)
    await run('mkfs.ext4', [...QUICK, disk.#image])
    await disk.#mount()
    return disk
  }

  /** Fills all but so many bytes. */
  fill(leaveBytes: number): void {
    const { bavail, bsize } = statfsSync(this.folder)
    const size = Math.max(0, bavail * bsize - leaveBytes)
    const filler = join(this.folder, 'filler')
    writeFileSync(filler, '')
    try {
      for (let left = size; left > 0; left -= 1024 * 1024) {
        writeFileSync(filler, Buffer.alloc(Math.min(left, 1024 * 1024)), { flag: 'a' })
      }
    } catch (error) {
      // The member wrote meanwhile: it is as full as can be.
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }

  /** There is room again. */
  drain(): void {
    rmSync(join(this.folder, 'filler'), { force: true })
  }

  /** From now on every write fails, and what was not fsync'd is forgotten. */
  async shutDown(): Promise<void> {
    const [open, how] = [`open(F, '<', $ARGV[0]) or die $!`, `my $how = pack('I', ${NO_LOG_FLUSH})`]
    const script = `${open}; ${how}; ioctl(F, ${SHUTDOWN}, $how) or die $!;`
    await run('perl', ['-e', script, this.folder])
  }

  /** What a power cut would leave at this moment, set aside. */
  async copy(): Promise<void> {
    await run('cp', ['--sparse=always', this.#image, `${this.#image}.copy`])
  }

  /** Puts in place what was set aside or kept; its process is gone. */
  async useCopy(): Promise<void> {
    await this.unmount()
    renameSync(`${this.#image}.copy`, this.#image)
    await this.#mount()
  }

  /** Keeps a copy of all that is there, to put back later; its process is gone. */
  async keep(): Promise<void> {
    await this.unmount()
    await run('cp', ['--sparse=always', this.#image, `${this.#image}.copy`])
    await this.#mount()
  }

  /** Comes back after `shutDown`; its process is gone. */
  async comeBack(): Promise<void> {
    await this.unmount()
    await this.#mount()
  }

  async unmount(): Promise<void> {
    await run('umount', [this.folder])
  }

  async #mount(): Promise<void> {
    await run('mount', ['-o', 'loop', this.#image, this.folder])
  }
}
