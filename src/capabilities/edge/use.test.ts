import { expect, test } from 'vitest'
import { edgeConfig } from './config.ts'
import { compilePolicy } from './policy/index.ts'
import { limitViews } from './use.ts'

test('limits that edges share say how exactly, each in its own mode', () => {
  const limit = '600/min per ip burst 100'
  const config = edgeConfig.parse({
    shared: { redis: 'redis://10.0.0.5', edges: 2 },
    routes: {
      '/home': { to: 'web', limit, shared: false },
      '/fast': { to: 'web', limit, shared: { mode: 'lease' } },
      '/*': { to: 'web', limit },
    },
  })
  const upstreams = [{ name: 'web', targets: [], healthPath: null }]
  const policy = compilePolicy(config, { environment: 'arcade', upstreams })
  const views = limitViews({ policy, reports: [], waivers: new Map(), lastHour: new Map() })
  const says = (name: string): string | undefined => views.find((view) => view.name === name)?.shared
  expect(says('edge.route./home')).toBeUndefined()
  expect(says('edge.route./fast')).toContain('at most 10 more than 600/min per ip burst 100')
  expect(says('edge.route./*')).toContain('Counted exactly for 2 edges together')
  expect(says('edge.unmatched')).toContain('Counted exactly for 2 edges together')
  expect(says('edge.errors')).toContain('refused on another edge within a second')
})
