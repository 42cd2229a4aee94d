// A service that looks around: what it can reach, what it was told, where it may write. It says so in its volume.
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'

const reach = (address) =>
  new Promise((resolve) => {
    const [host, port] = address.split(' ')
    const socket = connect({ host, port: Number(port), timeout: 1000 })
    const end = (reached) => {
      socket.destroy()
      resolve(reached)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })

const addresses = (process.env.TRY ?? '').split(',').filter(Boolean)
const reached = []
for (const address of addresses) if (await reach(address)) reached.push(address)
const volume = process.env.VOLUME_UPLOADS
const isSecond = volume.includes('/sandboxes/')
writeFileSync(join(process.cwd(), isSecond ? 'second.txt' : 'first.txt'), 'was here')
const seesToken = existsSync(process.env.ROOT_TOKEN ?? '')
const about = { reached, seesToken, secret: process.env.SECRET }
writeFileSync(join(volume, 'report.json'), JSON.stringify(about))
createServer((_, response) => response.end('hello')).listen(process.env.PORT, process.env.HOST)
