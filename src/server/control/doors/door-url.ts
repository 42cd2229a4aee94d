/** What the URL of doors depends on, beside their address. */
interface Named {
  readonly tls?: object | undefined
  readonly hosts?: readonly string[] | undefined
}

/** The URL of doors that listen at an address, as `http://127.0.0.1:8400`. */
export function doorUrl(
  { tls, hosts }: Named,
  { address, port }: { readonly address: string; readonly port: number },
): string {
  const isEverywhere = address === '0.0.0.0' || address === '::'
  const name = isEverywhere ? (hosts?.[0] ?? '127.0.0.1') : address
  return `${tls === undefined ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${port}`
}
