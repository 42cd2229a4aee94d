import { text } from 'node:stream/consumers'
import { systemClock } from '../kernel/std/index.ts'
import { connect } from './connect.ts'
import { isBrokenPipe } from './output/index.ts'
import { run } from './run.ts'

const { stdin, stdout, stderr } = process

const interrupted = new AbortController()
const [command] = process.argv.slice(2).filter((argument) => !argument.startsWith('-'))
// `up` and `dev` end in their own way, and stop what they started first, even when nobody hears them any more.
const endsItself = command === 'up' || command === 'dev'

// `holdfast timeline | head` closes the pipe early, a terminal that is closed is gone: no errors.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error) => {
    if (!isBrokenPipe(error)) throw error
    if (!endsItself) process.exit(0)
  })
}

if (!endsItself) {
  process.once('SIGINT', () => {
    interrupted.abort()
    // A second Ctrl-C, or a command that does not listen, ends at once.
    process.once('SIGINT', () => process.exit(130))
    setTimeout(() => process.exit(130), 2000).unref()
  })
}

process.exitCode = await run({
  argv: process.argv.slice(2),
  directory: process.cwd(),
  variables: process.env,
  clock: systemClock,
  out: stdout,
  err: stderr,
  terminal: stdout.isTTY ? { width: stdout.columns > 0 ? stdout.columns : 80 } : null,
  interactive: stdin.isTTY && stdout.isTTY,
  signal: interrupted.signal,
  open: connect,
  readInput: () => text(stdin),
})
