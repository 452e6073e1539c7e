/**
 * Node's exit waits for V8's threads, and one that compiles with Maglev may wait for the main thread
 * meanwhile: then a command whose work is done sleeps for ever (Node issue 54918; seen after a `put`
 * of a large file). What ends soon does without that compiler;
 * a daemon goes without it from the moment that it is told to stop.
 */
import { setFlagsFromString } from 'node:v8'

/** From now on nothing is compiled in the background that could keep the process from its end. */
export function compileNoMore(): void {
  setFlagsFromString('--no-maglev')
}
