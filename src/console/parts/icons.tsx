import type { ReactNode } from 'react'

const paths = {
  overview: 'M2.500 9.500 5.500 6l3 2.500 5-6M2.500 13.500h11',
  services: 'M2.500 3.500h11v3.500h-11zM2.500 9.500h11V13h-11zM5 5.250h.01M5 11.250h.01',
  limits: 'M3 12.500a6.200 6.200 0 1 1 10 0M8 9.500l2.800-3.300',
  timeline: 'M4 2.500v11M4 4.500h.01M7 4.500h6.500M7 8h4.500M7 11.500h5.500',
  jobs: 'M8 2.500a5.500 5.500 0 1 0 5.500 5.500M8 5v3l2 1.500M10.500 2.500h3v3',
  deploys: 'M8 13.500v-8M4.500 8.500 8 5l3.500 3.500M3 2.500h10',
  plan: 'M5.500 3v5M3 5.500h5M3 11.500h5M10.500 5.500H13M10.500 11.500H13',
  data: 'M3 4.250c0-1 2.250-1.750 5-1.750s5 .750 5 1.750S10.750 6 8 6 3 5.250 3 4.250ZM3 4.250v7.500c0 1 2.250 1.750 5 1.750s5-.750 5-1.750v-7.500M3 8c0 1 2.250 1.750 5 1.750S13 9 13 8',
  runs: 'M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM8 4.500V8l2.500 1.500',
  operations: 'M3 4.500 6.500 8 3 11.500M8 12h5.500',
  access:
    'M8 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM3 13.500c.5-2.500 2.500-4 5-4s4.500 1.500 5 4',
  search: 'M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9ZM10.500 10.500l3 3',
  more: 'M3 4.500h10M3 8h10M3 11.500h10',
  close: 'm4 4 8 8M12 4l-8 8',
  restart: 'M13 8a5 5 0 1 1-1.500-3.600M13 2.500v3h-3',
  pause: 'M5.500 3.500v9M10.500 3.500v9',
  play: 'M5 3.500v9l7-4.500Z',
  down: 'm4 6 4 4 4-4',
  right: 'm6 4 4 4-4 4',
  sun: 'M8 10.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M12.600 3.400l-1 1M4.400 11.600l-1 1',
  moon: 'M13 9.500A5.500 5.500 0 0 1 6.500 3a5.500 5.500 0 1 0 6.500 6.500Z',
  auto: 'M8 2.500a5.500 5.500 0 1 0 0 11ZM8 2.500a5.500 5.500 0 0 1 0 11',
  link: 'M6.500 9.500l3-3M5 8 3.700 9.300a2.100 2.100 0 0 0 3 3L8 11M11 8l1.300-1.300a2.100 2.100 0 0 0-3-3L8 5',
  shield:
    'M8 2 3.500 3.500v4c0 3 2 5 4.500 6.500 2.500-1.500 4.500-3.500 4.500-6.500v-4ZM6 7.800l1.500 1.500 2.700-3',
  copy: 'M5.500 5.500h7v7h-7zM3.500 10.500v-7h7',
} as const

/** Name of an icon. */
export type IconName = keyof typeof paths

/** A line icon of 16 px; it never stands alone without a name for those who do not see it. */
export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}

/** The house's mark: a kelp and what it holds on to. */
export function Mark(): ReactNode {
  return (
    <svg className="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" />
      <path d="M16 5c-3 4 3 6 0 12M16 17c0 5-7 3-8.500 9M16 17c0 5 7 3 8.500 9M16 17v9" />
    </svg>
  )
}
