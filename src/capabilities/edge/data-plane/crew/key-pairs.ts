import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { EdgeListener, EdgeNote } from '../../../../contracts/edge-policy.ts'
import { HoldfastError } from '../../../../kernel/std/index.ts'
import type { KeyPair } from '../shared/index.ts'

type TlsFiles = NonNullable<EdgeListener['tls']>

async function read({ certificate, key }: TlsFiles): Promise<KeyPair> {
  const [chain, secret] = await Promise.all([readFile(certificate, 'utf8'), readFile(key, 'utf8')])
  return { certificate: chain, key: secret }
}

/** Throws when a server could not be started with this pair. */
function check({ certificate, key }: KeyPair): void {
  createSecureContext({ cert: certificate, key })
}

/** Loads the certificates of all listeners; null where there is no TLS. Errors: `edge.certificate-invalid`. */
export function loadKeyPairs(listeners: readonly EdgeListener[]): Promise<readonly (KeyPair | null)[]> {
  return Promise.all(
    listeners.map(async ({ tls }, index) => {
      if (tls === null) return null
      try {
        const pair = await read(tls)
        check(pair)
        return pair
      } catch (cause) {
        throw new HoldfastError({
          code: 'edge.certificate-invalid',
          kind: 'user',
          message: `the certificate in ${tls.certificate} does not load: ${(cause as Error).message}`,
          hint: 'both files are PEM: the whole chain, and the key that belongs to its first certificate',
          path: `edge.listen.${index}.tls`,
          cause,
        })
      }
    }),
  )
}

/** What a second look at the files found. */
export interface Look {
  /** Undefined: nothing is new. */
  readonly keyPairs: readonly (KeyPair | null)[] | undefined
  readonly notes: readonly EdgeNote[]
}

/** Looks whether the files of certificates have changed. */
export interface KeyPairWatch {
  /** From now on these are in effect. */
  accept(listeners: readonly EdgeListener[], keyPairs: readonly (KeyPair | null)[]): void
  look(): Promise<Look>
}

/** Creates the watch. A pair that does not load is said once and the old one stays. */
export function createKeyPairWatch(): KeyPairWatch {
  let listeners: readonly EdgeListener[] = []
  let inEffect: readonly (KeyPair | null)[] = []
  const refused = new Map<number, string>()

  const lookAt = async (tls: TlsFiles, index: number): Promise<{ pair?: KeyPair; note?: EdgeNote }> => {
    const file = tls.certificate
    const old = inEffect[index] ?? null
    let seen = ''
    try {
      const pair = await read(tls)
      seen = pair.certificate + pair.key
      if (old === null || seen === old.certificate + old.key) {
        refused.delete(index)
        return {}
      }
      check(pair)
      refused.delete(index)
      const until = new X509Certificate(pair.certificate).validTo
      return { pair, note: { what: 'certificate-reloaded', file, message: until } }
    } catch (error) {
      const message = (error as Error).message.slice(0, 500)
      if (refused.get(index) === seen + message) return {}
      refused.set(index, seen + message)
      return { note: { what: 'certificate-refused', file, message } }
    }
  }

  return {
    accept: (fresh, keyPairs) => {
      listeners = fresh
      inEffect = keyPairs
      refused.clear()
    },
    look: async () => {
      const before = inEffect
      const found = await Promise.all(
        listeners.map(({ tls }, index) => (tls === null ? Promise.resolve({}) : lookAt(tls, index))),
      )
      const looks: readonly { pair?: KeyPair; note?: EdgeNote }[] = found
      const notes = looks.flatMap(({ note }) => note ?? [])
      // A policy came in between: it has read the files itself.
      if (before !== inEffect) return { keyPairs: undefined, notes: [] }
      if (looks.every(({ pair }) => pair === undefined)) return { keyPairs: undefined, notes }
      inEffect = inEffect.map((old, index) => looks[index]?.pair ?? old)
      return { keyPairs: inEffect, notes }
    },
  }
}
