import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type Docker from 'dockerode'
import { run } from './run.ts'

/** The image that every test daemon has; made here, of one program. */
export const tinyImage = 'holdfast-test/tiny:1'
/** An image with the Node that runs the tests. */
export const nodeImage = 'holdfast-test/node:1'

const applets = ['sh', 'httpd', 'sleep', 'echo', 'cat', 'env', 'mkdir', 'ls', 'seq'] as const

/** Imports what `fill` puts into a directory as an image; nothing is pulled. */
async function importImage(docker: Docker, name: string, fill: (root: string) => void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-image-'))
  const root = join(directory, 'root')
  try {
    for (const folder of ['bin', 'tmp']) mkdirSync(join(root, folder), { recursive: true })
    fill(root)
    await run('tar', '--create', '--file', join(directory, 'image.tar'), '--directory', root, '.')
    const [repo = '', tag = ''] = name.split(':')
    const answer = await docker.importImage(createReadStream(join(directory, 'image.tar')), { repo, tag })
    for await (const chunk of answer as AsyncIterable<unknown>) void chunk
    await docker.getImage(name).inspect()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Makes an image of a static busybox. */
export async function importTinyImage(docker: Docker, busybox: string): Promise<void> {
  await importImage(docker, tinyImage, (root) => {
    mkdirSync(join(root, 'www'))
    copyFileSync(busybox, join(root, 'bin', 'busybox'))
    for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet))
  })
}

/** Makes an image of the Node that runs this, with the libraries that it needs. */
export async function importNodeImage(docker: Docker, name = nodeImage): Promise<void> {
  const needed = execFileSync('ldd', [process.execPath], { encoding: 'utf8' })
  const libraries = [...needed.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file)
  await importImage(docker, name, (root) => {
    copyFileSync(process.execPath, join(root, 'bin', 'node'))
    for (const file of libraries) {
      mkdirSync(join(root, dirname(file)), { recursive: true })
      copyFileSync(realpathSync(file), join(root, file))
    }
  })
}
