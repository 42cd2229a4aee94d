#!/usr/bin/env node
// `npm start`: sets everything up and runs the example environment. Any Node from 18 on can run this file.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ensureConsole, ensureDependencies, pinnedNode, root } from './setup.mjs'

await ensureDependencies()
await ensureConsole()

const child = spawn(
  pinnedNode(),
  [
    join(root, 'src', 'cli', 'main.ts'),
    'up',
    '--config',
    join(root, 'examples', 'arcade', 'holdfast.config.ts'),
    '--data',
    join(root, '.holdfast'),
    ...process.argv.slice(2),
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, HOLDFAST_COMMAND: 'bin/holdfast' },
  },
)

// The child decides when to end. In a terminal it hears of Ctrl-C twice, which is the same to it as once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1
})
