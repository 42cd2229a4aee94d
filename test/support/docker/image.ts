import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createReadStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Docker from 'dockerode'
import { run } from './run.ts'

/** The image that every test daemon has; made here, of one program. */
export const tinyImage = 'holdfast-test/tiny:1'

const applets = ['sh', 'httpd', 'sleep', 'echo', 'cat', 'env', 'mkdir', 'ls', 'seq'] as const

/** Makes an image of a static busybox and imports it; nothing is pulled. */
export async function importTinyImage(docker: Docker, busybox: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-image-'))
  const root = join(directory, 'root')
  try {
    for (const folder of ['bin', 'tmp', 'www']) mkdirSync(join(root, folder), { recursive: true })
    copyFileSync(busybox, join(root, 'bin', 'busybox'))
    for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet))
    await run('tar', '--create', '--file', join(directory, 'image.tar'), '--directory', root, '.')
    const [repo = '', tag = ''] = tinyImage.split(':')
    const answer = await docker.importImage(createReadStream(join(directory, 'image.tar')), { repo, tag })
    for await (const chunk of answer as AsyncIterable<unknown>) void chunk
    await docker.getImage(tinyImage).inspect()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
