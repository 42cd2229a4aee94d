import { defineEnvironment } from 'holdfast'

/** The Node that this repository pins; a project of your own would say 'node'. */
const node = '../../node_modules/.bin/node'

export default defineEnvironment({
  name: 'arcade',

  services: {
    // The game's web service: two copies behind the edge, each on a port of its own.
    web: { command: [node, 'web.ts'], health: '/healthz', replicas: 2, resources: { memoryMiB: 512 } },

    // Sends the mails that players cause. It serves no port.
    mailer: { command: [node, 'mailer.ts'], listens: false },
  },

  edge: {
    listen: [{ port: 8080 }],
    routes: {
      // Guessing passwords is slow work: five tries a minute for one address, three hundred for everybody.
      'POST /login': { to: 'web', limit: ['5/min per ip', '300/min'] },
      'POST /accounts': { to: 'web', limit: '10/hour per ip' },

      // Chat causes mail, and an export is an hour of somebody's disk: the dear things are bounded tightly.
      'POST /chat': { to: 'web', limit: '20/min per ip burst 5' },
      'POST /exports': { to: 'web', limit: ['2/min per ip', '30/min'] },
      'POST /scores': { to: 'web', limit: '60/min per ip burst 20' },

      // Open for a long time: bounded by how many at once.
      'GET /chat/live': { to: 'web', limit: '10 at once per ip', idleTimeout: '5min' },
      'GET /play': { to: 'web', limit: '10 at once per ip', idleTimeout: '5min' },

      'GET /assets/*': { to: 'web', limit: '600/min per ip burst 100' },

      // Everything else. The second limit is on trial: it counts what it would refuse and refuses nothing.
      '/*': { to: 'web', limit: ['240/min per ip burst 60', 'dry run 60/min per ip'] },
    },
  },

  people: { lead: { role: 'administer' }, support: { role: 'view' } },
})
