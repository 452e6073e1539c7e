/**
 * Notes on all your machines: what is written on one appears on the others.
 *
 *     node notes.ts add shopping "bread"     adds a line to a note
 *     node notes.ts show shopping            prints it
 *     node notes.ts list                     names all notes, newest first
 *     node notes.ts follow                   tells of changes, wherever they are made
 *
 * It speaks with the member that runs on this machine (veche init, veche start), whose store is
 * named by VECHE_STORE. It runs on Node 24 as it is. The member does the rest: it keeps the notes, and keeps them alike.
 */
import { connect, isVecheError, type MemberMethods } from 'veche'

const PREFIX = 'notes/'

/** Adds a line. `ifVersion` makes sure that nobody's change of this moment is written over. */
async function add(veche: MemberMethods, name: string, line: string): Promise<void> {
  const id = PREFIX + name
  for (;;) {
    const note = await veche.get({ id }).catch(orNothing)
    const text = `${note?.text ?? ''}${line}\n`
    try {
      const put = { id, text, ...(note === undefined ? {} : { ifVersion: note.version }) }
      const { level, heldBy, of } = await veche.put(put)
      console.log(`${name}: ${level}, safe on ${heldBy.length} of ${of} machines`)
      return
    } catch (error) {
      if (!isVecheError(error, 'VERSION_MISMATCH')) throw error // else: read it anew, add again
    }
  }
}

/** Prints a note; one that was changed on two machines apart has two texts, and both are shown. */
async function show(veche: MemberMethods, name: string): Promise<void> {
  try {
    const { text } = await veche.get({ id: PREFIX + name })
    process.stdout.write(text ?? '')
  } catch (error) {
    if (!isVecheError(error, 'SPLIT')) throw error
    for (const id of error.data.ids as string[]) {
      const { text } = await veche.get({ id })
      process.stdout.write(`--- ${id}\n${text}`)
    }
    console.log(`--- Keep one: veche resolve ${PREFIX}${name} --keep ID`)
  }
}

async function list(veche: MemberMethods): Promise<void> {
  const notes = []
  for await (const note of veche.items({ prefix: PREFIX })) notes.push(note)
  for (const { id, at } of notes.toSorted((a, b) => b.at - a.at))
    console.log(`${new Date(at).toISOString()}  ${id.slice(PREFIX.length)}`)
}

/** Each change once, also when the member is restarted meanwhile; until Ctrl-C. */
async function follow(veche: MemberMethods): Promise<void> {
  const { members } = await veche.members()
  const names = new Map(members.map(({ uuid, name }) => [uuid, name]))
  for await (const event of veche.watch({ prefix: PREFIX })) {
    if (event.kind === 'added')
      console.log(`${names.get(event.by) ?? 'a new member'} wrote ${event.id.slice(PREFIX.length)}`)
    if (event.kind === 'collision') console.log(`${event.id} was changed on two machines apart`)
  }
}

/** An item that is not there is no error here. */
function orNothing(error: unknown): undefined {
  if (!isVecheError(error, 'NOT_FOUND')) throw error
}

const [command, name, line] = process.argv.slice(2)
await using veche = await connect({ store: process.env.VECHE_STORE ?? '.' })
if (command === 'add' && name && line) await add(veche, name, line)
else if (command === 'show' && name) await show(veche, name)
else if (command === 'list') await list(veche)
else if (command === 'follow') await follow(veche)
else {
  console.error('Usage: notes.ts add NAME LINE | show NAME | list | follow')
  process.exitCode = 2
}
