/** Where a request over plain HTTP is sent: the same place over HTTPS on another port. */
export function secureLocation(authority: string, port: number, target: string): string {
  const name = hostName(authority)
  return `https://${name}${port === 443 ? '' : `:${port}`}${target}`
}

/** The host of an authority, without a port. */
export function hostName(authority: string): string {
  const colon = authority.lastIndexOf(':')
  return colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority
}
