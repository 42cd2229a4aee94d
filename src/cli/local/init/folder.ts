import { access, readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { nameFrom } from './answers.ts'

/** What a folder suggests. */
export interface Suggestion {
  readonly name: string
  /** What seems to start it, as a person would type it; null: nothing was recognised. */
  readonly command: string | null
  /** Why we think so, in half a sentence. */
  readonly because: string
}

/** Reads a file of the folder; null when it is not there. */
type Read = (name: string) => Promise<string | null>

/** A way to recognise what starts a folder. */
type Look = (read: Read, names: readonly string[]) => Promise<{ command: string; because: string } | null>

const nodePackage: Look = async (read) => {
  const text = await read('package.json')
  if (text === null) return null
  const { scripts, main } = parsePackage(text)
  const start = scripts?.['start']
  const because = 'package.json has a start script'
  if (start !== undefined) return { command: /^node\s/.test(start) ? start : 'npm start', because }
  return main === undefined ? null : { command: `node ${main}`, because: 'package.json names a main file' }
}

interface Package {
  readonly name?: string
  readonly main?: string
  readonly scripts?: Readonly<Record<string, string>>
}

function parsePackage(text: string): Package {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

const procfile: Look = async (read) => {
  const web = /^web:\s*(.+)$/m.exec((await read('Procfile')) ?? '')?.[1]
  return web === undefined ? null : { command: web.trim(), because: 'the Procfile says how to start "web"' }
}

const django: Look = async (_, names) =>
  names.includes('manage.py')
    ? { command: 'python3 manage.py runserver --noreload "127.0.0.1:$PORT"', because: 'there is a manage.py' }
    : null

const python: Look = async (_, names) => {
  const file = ['main.py', 'app.py', 'server.py'].find((name) => names.includes(name))
  return file === undefined ? null : { command: `python3 ${file}`, because: `there is a ${file}` }
}

const go: Look = async (_, names) =>
  names.includes('go.mod') ? { command: 'go run .', because: 'there is a go.mod' } : null

const ruby: Look = async (_, names) =>
  names.includes('config.ru')
    ? { command: 'bundle exec rackup --host 127.0.0.1 --port "$PORT"', because: 'there is a config.ru' }
    : null

const nodeFile: Look = async (_, names) => {
  const file = ['server.js', 'server.mjs', 'server.ts', 'index.js', 'app.js'].find((name) =>
    names.includes(name),
  )
  return file === undefined ? null : { command: `node ${file}`, because: `there is a ${file}` }
}

const staticFiles: Look = async (_, names) =>
  names.includes('index.html')
    ? {
        command: 'python3 -m http.server --bind 127.0.0.1 "$PORT"',
        because: 'there is an index.html, which Python can serve',
      }
    : null

/** The surest signs first. */
const looks: readonly Look[] = [procfile, nodePackage, django, ruby, go, python, nodeFile, staticFiles]

/** Looks at a folder for what starts its service. Touches nothing. */
export async function lookAround(directory: string): Promise<Suggestion> {
  const names = await readdir(directory)
  const read: Read = async (name) => (names.includes(name) ? readFile(join(directory, name), 'utf8') : null)
  const own = parsePackage((await read('package.json')) ?? '').name
  const name = nameFrom(own ?? basename(directory))
  for (const look of looks) {
    const found = await look(read, names)
    if (found !== null) return { name, ...found }
  }
  return { name, command: null, because: '' }
}

/** Whether git keeps this folder, so that the data directory has to be kept out of it. */
export async function isInGit(directory: string): Promise<boolean> {
  return access(join(directory, '.git')).then(
    () => true,
    () => false,
  )
}
