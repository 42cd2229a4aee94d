import type { RequestHead } from '../head.ts'

/** The value of a field, those of several joined with a comma; null: there is none. `name` in lower case. */
export function fieldOf({ fields }: Pick<RequestHead, 'fields'>, name: string): string | null {
  let value: string | null = null
  for (let index = 0; index < fields.length; index += 2) {
    const candidate = fields[index] ?? ''
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue
    const next = fields[index + 1] ?? ''
    value = value === null ? next : `${value},${next}`
  }
  return value
}

/** The value of a cookie as it stands there, the first of several with its name; null: there is none. */
export function cookieOf({ fields }: Pick<RequestHead, 'fields'>, name: string): string | null {
  for (let index = 0; index < fields.length; index += 2) {
    const candidate = fields[index] ?? ''
    if (candidate.length !== 6 || candidate.toLowerCase() !== 'cookie') continue
    const value = findCookie(fields[index + 1] ?? '', name)
    if (value !== null) return value
  }
  return null
}

function findCookie(cookies: string, name: string): string | null {
  let from = cookies.indexOf(`${name}=`)
  while (from >= 0) {
    if (from === 0 || isSeparator(cookies.charCodeAt(from - 1))) {
      const end = cookies.indexOf(';', from)
      return cookies.slice(from + name.length + 1, end < 0 ? cookies.length : end).trim()
    }
    from = cookies.indexOf(`${name}=`, from + 1)
  }
  return null
}

/** A semicolon, a blank or a tab. */
function isSeparator(code: number): boolean {
  return code === 59 || code === 32 || code === 9
}
