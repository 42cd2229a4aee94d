import { appendFileSync, existsSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { databasePath, openDatabase } from './database.ts'
import { openLimits } from './limits.ts'

interface Mail {
  readonly id: number
  readonly sender: string
  readonly recipient: string
  readonly subject: string
  readonly body: string
}

const spool = join(dirname(databasePath()), 'sent-mails.log')
const mostSpoolBytes = 1024 * 1024
const keptMs = 7 * 86_400_000

const database = await openDatabase()
// A claim that is a minute old was left behind by a mailer that died.
const claim = database.prepare(
  `UPDATE outbox SET claimed_at = :now WHERE id IN (
     SELECT id FROM outbox WHERE sent_at IS NULL AND (claimed_at IS NULL OR claimed_at < :now - 60000)
     ORDER BY id LIMIT 10
   ) RETURNING id, sender, recipient, subject, body`,
)
const markSent = database.prepare('UPDATE outbox SET sent_at = ?, held_back = ? WHERE id = ?')
const forget = database.prepare('DELETE FROM outbox WHERE sent_at < ?')
const limits = openLimits()
const stopping = new AbortController()

/** "Sends" a mail: a line in a file is as far as the arcade's budget goes. */
async function deliver(mail: Mail): Promise<void> {
  await sleep(50)
  if (existsSync(spool) && statSync(spool).size > mostSpoolBytes) renameSync(spool, `${spool}.old`)
  appendFileSync(spool, `${JSON.stringify({ at: new Date().toISOString(), ...mail })}\n`)
  markSent.run(Date.now(), null, mail.id)
  console.log(`sent to ${mail.recipient}: ${mail.subject}`)
}

/** Nobody misses a mail about a mention: what is too much is not sent later, but never. */
async function deliverOrHoldBack(mail: Mail): Promise<void> {
  const { sender, recipient } = mail
  const verdict = await limits.take('mail.send', { user: sender, recipient }, { id: `mail-${mail.id}` })
  if (verdict.admitted) return deliver(mail)
  markSent.run(Date.now(), verdict.because, mail.id)
  console.log(`held back a mail to ${recipient}: ${verdict.because}`)
}

async function run(): Promise<void> {
  console.log('the mailer is ready')
  while (!stopping.signal.aborted) {
    const mails = claim.all({ now: Date.now() }) as unknown as Mail[]
    for (const mail of mails) await deliverOrHoldBack(mail)
    if (mails.length > 0) continue
    forget.run(Date.now() - keptMs)
    await sleep(1000, undefined, { signal: stopping.signal }).catch(() => undefined)
  }
}

process.on('SIGTERM', () => stopping.abort())
process.on('SIGINT', () => stopping.abort())
await run()
await limits.close()
database.close()
console.log('closed')
