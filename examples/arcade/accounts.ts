import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { cookieOf, readJson, Refusal, textOf, type Account, type Answer, type Visit } from './http.ts'
import { createTokens } from './sessions.ts'

const sessionMs = 30 * 86_400_000
const cookieName = 'arcade'
const derive = promisify(scrypt) as (password: string, salt: Buffer, sizeBytes: number) => Promise<Buffer>

/** Sign-up, sign-in and sessions. */
export function createAccounts(database: DatabaseSync) {
  const insert = database.prepare(
    'INSERT INTO accounts (handle, password, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING id, handle',
  )
  const byHandle = database.prepare('SELECT id, handle, password FROM accounts WHERE handle = ?')
  const bySession = database.prepare(
    `SELECT accounts.id, accounts.handle FROM sessions JOIN accounts ON accounts.id = sessions.account_id
     WHERE token_hash = ? AND expires_at > ?`,
  )
  const insertSession = database.prepare(
    'INSERT INTO sessions (token_hash, account_id, expires_at) VALUES (?, ?, ?)',
  )
  const removeSession = database.prepare('DELETE FROM sessions WHERE token_hash = ? OR expires_at < ?')

  const tokens = createTokens(database)
  const mails = database.prepare(
    `SELECT count(*) FILTER (WHERE sent_at IS NULL) AS waiting,
       count(*) FILTER (WHERE sent_at IS NOT NULL AND held_back IS NULL) AS sent,
       count(held_back) AS heldBack FROM outbox WHERE sender = ?`,
  )

  const signIn = ({ id, handle }: Account): Answer => {
    const token = tokens.issue(handle, sessionMs)
    insertSession.run(hashOf(token), id, Date.now() + sessionMs)
    return { status: 200, body: { handle }, headers: { 'set-cookie': cookie(token, sessionMs) } }
  }

  return {
    /** Whose session the request's cookie names. */
    of: (visit: Pick<Visit, 'request'>): Account | undefined => {
      const token = cookieOf(visit.request, cookieName)
      return token === undefined
        ? undefined
        : (bySession.get(hashOf(token), Date.now()) as unknown as Account | undefined)
    },

    /** GET /.well-known/jwks.json: for whoever wants to know whose a token is without asking us; the edge does. */
    publicKeys: (): Answer => ({ status: 200, body: tokens.publicKeys }),

    /** GET /me: who one is, and what became of the mails that one has caused. */
    me: ({ account }: Visit): Answer => {
      if (account === undefined) return { status: 200, body: { handle: null } }
      return { status: 200, body: { handle: account.handle, mails: mails.get(account.handle) } }
    },

    /** POST /accounts */
    create: async (visit: Visit): Promise<Answer> => {
      const { handle, password } = await credentials(visit)
      if (!/^\w{3,20}$/.test(handle))
        throw new Refusal(400, 'handle: 3 to 20 letters, digits or underscores, please')
      if (password.length < 8) throw new Refusal(400, 'password: at least 8 characters, please')
      const account = insert.get(handle, await hashPassword(password), Date.now())
      if (account === undefined) throw new Refusal(409, 'that name is taken')
      return { ...signIn(account as unknown as Account), status: 201 }
    },

    /** POST /login */
    logIn: async (visit: Visit): Promise<Answer> => {
      const { handle, password } = await credentials(visit)
      const found = byHandle.get(handle) as unknown as (Account & { password: string | null }) | undefined
      const right = await verifyPassword(password, found?.password ?? null)
      if (found === undefined || !right) throw new Refusal(401, 'wrong name or password')
      return signIn(found)
    },

    /** POST /logout */
    logOut: ({ request }: Visit): Answer => {
      removeSession.run(hashOf(cookieOf(request, cookieName) ?? ''), Date.now())
      return { status: 204, headers: { 'set-cookie': cookie('', 0) } }
    },
  }
}

async function credentials({ request }: Visit): Promise<{ handle: string; password: string }> {
  const body = await readJson(request)
  return { handle: textOf(body, 'handle', 20), password: textOf(body, 'password', 200) }
}

async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  return `${salt.toString('base64url')}.${(await derive(password, salt, 32)).toString('base64url')}`
}

/** Takes as long for a name that does not exist, so that nobody learns which do. */
async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const [salt = '', hash = ''] = (stored ?? '').split('.')
  const derived = await derive(password, Buffer.from(salt, 'base64url'), 32)
  const expected = Buffer.from(hash, 'base64url')
  return expected.length === derived.length && timingSafeEqual(expected, derived)
}

/** Only hashes are stored: who reads the database cannot take over sessions. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function cookie(token: string, maxAgeMs: number): string {
  return `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeMs / 1000}`
}
