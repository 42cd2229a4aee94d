import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type Docker from 'dockerode'
import { run } from './run.ts'

/** The image that every test daemon has; made here, of one program. */
export const tinyImage = 'holdfast-test/tiny:1'
/** An image with the Node that runs the tests. */
export const nodeImage = 'holdfast-test/node:1'
/** An image with servers and clients of databases as Debian has them, and that Node. */
export const serversImage = 'holdfast-test/servers:1'
/** A Redis that says of itself that it is a newer minor version. */
export const newerServersImage = 'holdfast-test/servers:2'
/** One of another major version. */
export const otherServersImage = 'holdfast-test/servers:3'

const applets = ['sh', 'httpd', 'sleep', 'echo', 'cat', 'env', 'mkdir', 'ls', 'seq'] as const

/** Imports what `fill` puts into a directory as an image; nothing is pulled. */
async function importImage(docker: Docker, name: string, fill: (root: string) => void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-image-'))
  const root = join(directory, 'root')
  try {
    for (const folder of ['bin', 'tmp']) mkdirSync(join(root, folder), { recursive: true })
    chmodSync(join(root, 'tmp'), 0o1777)
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

function librariesOf(files: readonly string[]): readonly string[] {
  // Scripts need none, and ldd ends with an error for them.
  const { stdout } = spawnSync('ldd', [...files], { encoding: 'utf8' })
  return [...new Set([...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file))]
}

function copyLibraries(root: string, files: readonly string[]): void {
  for (const file of librariesOf(files)) {
    mkdirSync(join(root, dirname(file)), { recursive: true })
    // What is there may be a name for a file of this machine.
    rmSync(join(root, file), { force: true })
    copyFileSync(realpathSync(file), join(root, file))
  }
}

function copyNode(root: string): void {
  copyFileSync(process.execPath, join(root, 'bin', 'node'))
  copyLibraries(root, [process.execPath])
}

/** Makes an image of the Node that runs this, with the libraries that it needs. */
export async function importNodeImage(docker: Docker, name = nodeImage): Promise<void> {
  await importImage(docker, name, copyNode)
}

const basePackages = [
  'base-files',
  'dash',
  'coreutils',
  'grep',
  'sed',
  'hostname',
  'util-linux',
  'libc6',
  'libc-bin',
]
const unneeded = /^\/usr\/share\/(doc|man|locale|info|lintian|bash-completion)\/|^\/(lib|usr\/lib)\/systemd\//

/** Copies what packages of this machine consist of, and the libraries that their programs need. */
function copyPackages(root: string, packages: readonly string[]): void {
  const listed = execFileSync('dpkg', ['-L', ...packages], { encoding: 'utf8' }).split('\n')
  // Of directories only those that are none: /bin is a name for /usr/bin here, and a directory in the image.
  const isWanted = (file: string): boolean =>
    file.length > 2 && !unneeded.test(file) && statSync(file, { throwIfNoEntry: false })?.isFile() === true
  const files = [...new Set(listed)].filter(isWanted)
  const accounts = ['/etc/passwd', '/etc/group', '/etc/nsswitch.conf'].filter((file) => existsSync(file))
  const list = join(root, 'list')
  writeFileSync(list, [...files, ...accounts].map((file) => `.${file}`).join('\n'))
  const copy =
    'tar -C / --create --no-recursion --files-from "$1" | tar -C "$0" --extract --keep-directory-symlink'
  execFileSync('sh', ['-c', copy, root, list])
  rmSync(list)
  copyLibraries(
    root,
    files.filter((file) => /\/s?bin\//.test(file) && statSync(file).isFile()),
  )
}

/** Makes an image of database servers and their clients; which packages they are is known by the programs' places. */
export async function importServersImages(docker: Docker, programs: readonly string[]): Promise<void> {
  const owners = execFileSync('dpkg', ['-S', ...programs], { encoding: 'utf8' })
  const packages = [
    ...new Set(
      owners
        .trim()
        .split('\n')
        .map((line) => line.split(':')[0] ?? ''),
    ),
  ]
  await importImage(docker, serversImage, (root) => {
    copyPackages(root, [...basePackages, ...packages])
    copyNode(root)
  })
  await importRenamedRedis(docker, newerServersImage, '7.0.16')
  await importRenamedRedis(docker, otherServersImage, '8.0.15')
}

/** A Redis that says of itself that it is another version: the packages that are to be had are of one. */
async function importRenamedRedis(docker: Docker, image: string, version: string): Promise<void> {
  await importImage(docker, image, (root) => {
    copyPackages(root, [...basePackages, 'redis-server', 'redis-tools'])
    const file = join(root, 'usr/bin/redis-check-rdb')
    const text = readFileSync(file, 'latin1').replaceAll(/\b\d\.0\.\d\d\b/g, version)
    writeFileSync(file, text, 'latin1')
  })
}
