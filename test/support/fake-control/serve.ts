import { fileURLToPath } from 'node:url'
import { startFakeControl } from './index.ts'

/** A fake control to develop the console against: serves `dist/console` and changing data on port 8499. */
const fake = await startFakeControl({
  consoleDirectory: fileURLToPath(new URL('../../../dist/console', import.meta.url)),
  port: 8499,
})
process.stdout.write(`${fake.url}\n${fake.link()}\n`)
