import { chmodSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DataLayout } from '../paths.ts'
import type { Owner } from './identity.ts'

/** To whom things in the data directory belong. */
export interface Owners {
  readonly control: Owner
  readonly edge: Owner
  /** Group of all processes of this house: it may pass through the data directory, and see nothing of it. */
  readonly house: number
}

const root = 0

/** What the supervisor alone writes, and what is the edge's. */
const apart = ['lock.db', 'start.db', 'start.db-journal', 'supervisor', 'edge', 'compiled', 'files']

/** What lies in these belongs to the users of services and databases, which may be running on it. */
const shared = ['volumes', 'databases']

/**
 * Gives the data directory to those who work in it. It is closed to all but control; `edge` is the edge's, and
 * control may look into it; what the supervisor keeps for itself stays root's. What another start as root has left is
 * given to control, whole, but for what is in volumes and databases; directories that have other owners by then are left to them. Symbolic links are never
 * followed. Throws the system's error.
 */
export function settleOwners({ data, run, logs }: DataLayout, { control, edge, house }: Owners): void {
  const compiled = join(data, 'compiled')
  const places = { control: join(compiled, 'control'), edge: join(compiled, 'edge') }
  const edgePlace = join(data, 'edge')
  for (const place of [run, logs, edgePlace, places.control, places.edge])
    mkdirSync(place, { recursive: true })
  giveContents(data, control)
  giveShared(data, control)
  for (const place of [run, logs]) give(place, control, 0o700)
  chmodSync(compiled, 0o711)
  giveTree(places.control, control)
  giveTree(places.edge, edge)
  giveTree(edgePlace, { uid: edge.uid, gid: control.gid })
  // What is made in it belongs to control's group: its socket, say.
  give(edgePlace, { uid: edge.uid, gid: control.gid }, 0o2750)
  give(data, { uid: control.uid, gid: house }, house === root ? 0o700 : 0o710)
}

/** Files, the directories that we make, and what root made; the rest has found its owner. */
function giveContents(data: string, control: Owner): void {
  for (const name of readdirSync(data)) {
    const path = join(data, name)
    const found = lstatSync(path)
    const controls = found.isFile() || found.uid === root || ['run', 'logs'].includes(name)
    if (controls && !apart.includes(name) && !shared.includes(name)) giveTree(path, control)
    if (found.isFile()) chmodSync(path, found.mode & 0o700)
  }
}

/** The directories themselves are control's, and so is what it has written down about a database. */
function giveShared(data: string, control: Owner): void {
  const databases = join(data, 'databases')
  const each = existsSync(databases) ? readdirSync(databases).map((name) => join(databases, name)) : []
  const records = each.map((place) => join(place, 'record.json'))
  for (const path of [join(data, 'volumes'), databases, ...each, ...records]) {
    if (existsSync(path)) lchownSync(path, control.uid, control.gid)
  }
}

function give(path: string, { uid, gid }: Owner, mode: number): void {
  lchownSync(path, uid, gid)
  chmodSync(path, mode)
}

/** Gives a file, or a directory with all that is in it. */
export function giveTree(path: string, owner: Owner): void {
  const found = lstatSync(path)
  if (found.uid !== owner.uid || found.gid !== owner.gid) lchownSync(path, owner.uid, owner.gid)
  if (!found.isDirectory()) return
  for (const name of readdirSync(path)) giveTree(join(path, name), owner)
}
