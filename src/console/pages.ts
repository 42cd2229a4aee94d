import { lazy, type ComponentType } from 'react'
import type { Operations } from '../contracts/index.ts'
import type { IconName } from './parts/icons.tsx'
import type { PageProps } from './parts/page-props.ts'
import { LimitsPage } from './pages/limits/limits-page.tsx'
import { OverviewPage } from './pages/overview/overview-page.tsx'
import { ServicesPage } from './pages/services/services-page.tsx'
import { TimelinePage } from './pages/timeline/timeline-page.tsx'

// Pages that are seldom the first are fetched when they are asked for.
const JobsPage = lazy(async () => ({ default: (await import('./pages/jobs/jobs-page.tsx')).JobsPage }))
const DeploysPage = lazy(async () => ({
  default: (await import('./pages/deploys/deploys-page.tsx')).DeploysPage,
}))
const PlanPage = lazy(async () => ({ default: (await import('./pages/plan/plan-page.tsx')).PlanPage }))
const DataPage = lazy(async () => ({ default: (await import('./pages/data/data-page.tsx')).DataPage }))
const RunsPage = lazy(async () => ({ default: (await import('./pages/runs/runs-page.tsx')).RunsPage }))
const OperationsPage = lazy(async () => ({
  default: (await import('./pages/operations/operations-page.tsx')).OperationsPage,
}))
const AccessPage = lazy(async () => ({
  default: (await import('./pages/access/access-page.tsx')).AccessPage,
}))

/** A page of the console. */
export interface Page {
  /** First part of its address; empty for the first page. */
  readonly path: string
  readonly title: string
  readonly icon: IconName
  readonly component: ComponentType<PageProps>
  /** Who sees it. */
  readonly permission: Operations['operations.list']['output']['operations'][number]['permission']
  /** Pressed after `g` it leads here. */
  readonly key: string
}

/** Every page, in the order of the navigation; the first four are at hand on a phone. A capability adds one entry. */
export const pages: readonly Page[] = [
  { path: '', title: 'Overview', icon: 'overview', component: OverviewPage, permission: 'view', key: 'o' },
  {
    path: 'services',
    title: 'Services',
    icon: 'services',
    component: ServicesPage,
    permission: 'view',
    key: 's',
  },
  {
    path: 'limits',
    title: 'Routes and limits',
    icon: 'limits',
    component: LimitsPage,
    permission: 'view',
    key: 'l',
  },
  {
    path: 'timeline',
    title: 'Timeline',
    icon: 'timeline',
    component: TimelinePage,
    permission: 'view',
    key: 't',
  },
  {
    path: 'deploys',
    title: 'Deploys',
    icon: 'deploys',
    component: DeploysPage,
    permission: 'view',
    key: 'd',
  },
  { path: 'plan', title: 'Plan', icon: 'plan', component: PlanPage, permission: 'view', key: 'e' },
  { path: 'data', title: 'Data', icon: 'data', component: DataPage, permission: 'view', key: 'b' },
  {
    path: 'runs',
    title: 'Jobs and schedules',
    icon: 'runs',
    component: RunsPage,
    permission: 'view',
    key: 'r',
  },
  {
    path: 'jobs',
    title: "Control's jobs",
    icon: 'jobs',
    component: JobsPage,
    permission: 'view',
    key: 'j',
  },
  {
    path: 'operations',
    title: 'Operations',
    icon: 'operations',
    component: OperationsPage,
    permission: 'view',
    key: 'p',
  },
  { path: 'access', title: 'Access', icon: 'access', component: AccessPage, permission: 'view', key: 'a' },
]
