import { Component, type ReactNode } from 'react'
import { ErrorNote } from './basics.tsx'

interface BoundaryProps {
  readonly children: ReactNode
  /** Shown in place of what broke. Default: the error, and a way to load the page again. */
  readonly instead?: ReactNode
}

/** Keeps an error in its place: a part that breaks, or that does not load while control is away, takes no other down. */
export class Boundary extends Component<BoundaryProps, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: undefined }

  static getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error }
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children
    return this.props.instead ?? <ErrorNote error={this.state.error} retry={() => location.reload()} />
  }
}
