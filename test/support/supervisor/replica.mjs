// A replica for tests of the supervisor: what it does is named by its first argument.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

const [mode, argument] = process.argv.slice(2)
const forever = () => setInterval(() => undefined, 60_000)

function descriptors() {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      return [readlinkSync(`/proc/self/fd/${name}`)]
    } catch {
      return []
    }
  })
}

function serve() {
  const inherited = descriptors()
  const server = createServer((_, response) => {
    response.end(JSON.stringify({ pid: process.pid, variables: process.env, inherited }))
  })
  server.listen(Number(process.env['PORT']), process.env['HOST'], () => process.stdout.write('listening\n'))
}

const modes = {
  serve,
  name: () =>
    createServer((_, response) => response.end(argument)).listen(
      Number(process.env['PORT']),
      process.env['HOST'],
    ),
  tell: () => {
    const texts = ['APP_CONFIG_FILE', 'APP_KEY_FILE'].map((name) => readFileSync(process.env[name], 'utf8'))
    createServer((_, response) => response.end(texts.join(' '))).listen(
      Number(process.env['PORT']),
      process.env['HOST'],
    )
  },
  once: () => {
    process.stdout.write('done\n')
    process.exitCode = 5
  },
  crash: () => {
    for (let line = 1; line <= 25; line++) process.stderr.write(`line ${line}\n`)
    process.exitCode = 3
  },
  expose: () => createServer().listen(0, '0.0.0.0', forever),
  stubborn: () => {
    process.on('SIGTERM', () => process.stdout.write('no\n'))
    process.stdout.write('ready\n')
    forever()
  },
  graceful: () => {
    process.on('SIGTERM', () => setTimeout(() => process.exit(7), 50))
    process.stdout.write('ready\n')
    forever()
  },
  family: () => {
    const child = spawn(process.execPath, [import.meta.filename, 'stubborn'], {
      detached: true,
      stdio: 'inherit',
    })
    writeFileSync(argument, String(child.pid))
    forever()
  },
  chatter: () => {
    const line = `${'x'.repeat(1023)}\n`
    const write = () => {
      for (let count = 0; count < 20 * 1024; count++) process.stdout.write(line)
    }
    write()
    forever()
  },
  greedy: () => {
    const held = []
    setInterval(() => held.push(Buffer.alloc(8 * 2 ** 20, 1)), 5)
  },
  idle: forever,
}
modes[mode]()
