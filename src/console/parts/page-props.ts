/** What a page is given: the rest of its path, decoded, and the query of its address. */
export interface PageProps {
  readonly rest: readonly string[]
  readonly query: URLSearchParams
}
