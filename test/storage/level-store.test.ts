/**
 * The store on disk keeps the contract; what is special about a disk is in the files beside this one.
 */

import { type LevelStore, openLevelStore } from '../../src/storage/level-store.ts'
import type { Store } from '../../src/storage/store.ts'
import { storeCompliance } from '../compliance/store.ts'
import { tempFolders } from '../support/temp-folders.ts'

const folders = tempFolders()
const opened = new Map<Store, string>()

storeCompliance({
  name: 'store on disk',
  async open() {
    const folder = await folders.make()
    const store = await openLevelStore(folder, { create: true })
    opened.set(store, folder)
    return store
  },
  async reopen(store: Store) {
    await store.close()
    const folder = opened.get(store)!
    opened.delete(store)
    const again: LevelStore = await openLevelStore(folder)
    opened.set(again, folder)
    return again
  },
  async end() {
    for (const store of opened.keys()) {
      await store.close().catch((error: { code?: string }) => {
        if (error.code !== 'STOPPING') throw error // a test may have closed it itself
      })
    }
    opened.clear()
    await folders.remove()
  },
})
