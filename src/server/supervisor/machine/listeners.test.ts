import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { machineListeners, parseListeners, socketInodes } from './listeners.ts'

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const line = (local: string, state: string, inode: number): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0`

const one = (local: string): { address: string; port: number; loopback: boolean } => {
  const [listener] = parseListeners(line(local, '0A', 1)).listeners
  if (listener === undefined) throw new Error('not parsed')
  return { address: listener.address, port: listener.port, loopback: listener.loopback }
}

test.each([
  ['0100007F:1F90', '127.0.0.1', true],
  ['3500007F:1F90', '127.0.0.53', true],
  ['00000000:1F90', '0.0.0.0', false],
  ['0100A8C0:1F90', '192.168.0.1', false],
  ['00000000000000000000000000000000:1F90', '[::]', false],
  ['00000000000000000000000001000000:1F90', '[0:0:0:0:0:0:0:1]', true],
  ['0000000000000000FFFF00000100007F:1F90', '127.0.0.1', true],
  ['0000000000000000FFFF00000100A8C0:1F90', '192.168.0.1', false],
  ['B80D0120000000000000000001000000:1F90', '[2001:db8:0:0:0:0:0:1]', false],
])('%s is %s', (local, address, loopback) => {
  expect(one(local)).toEqual({ address, port: 8080, loopback })
})

test('the first connection ends the list; a head and garbage are passed over', () => {
  const text = [
    head,
    line('00000000:0050', '0A', 7),
    '?',
    line('0100007F:0050', '01', 8),
    line('00000000:0051', '0A', 9),
  ]
  const parsed = parseListeners(text.join('\n'))
  expect(parsed.ended).toBe(true)
  expect(parsed.listeners.map(({ inode }) => inode)).toEqual(['7'])
})

test.runIf(process.platform === 'linux')('a listener of ours is found and leads to us', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const found = machineListeners().find((listener) => listener.port === port)
  expect(found).toMatchObject({ address: '127.0.0.1', loopback: true })
  expect(socketInodes(process.pid).has(found?.inode ?? '')).toBe(true)
  await new Promise((resolve) => server.close(resolve))
  expect(machineListeners().some((listener) => listener.port === port)).toBe(false)
})
