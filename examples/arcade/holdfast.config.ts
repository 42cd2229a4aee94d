import { defineEnvironment } from 'holdfast'
import { rules } from './rules.ts'

export default defineEnvironment({
  name: 'arcade',

  // On this machine. For a swarm: { swarm: 'unix:///var/run/docker.sock' }, and nothing else changes; the README says more.
  engine: 'local',

  services: {
    // The game's web service: two copies behind the edge, each on a port of its own. On a swarm it runs from an image that
    // is made of this directory.
    web: {
      command: ['node', 'web.ts'],
      build: {},
      health: '/healthz',
      replicas: 2,
      resources: { memoryMiB: 512 },
      volumes: ['game'],
    },

    // Sends the mails that players cause. It serves no port.
    mailer: { command: ['node', 'mailer.ts'], build: {}, listens: false, volumes: ['game'] },
  },

  // The database, on which both work: it outlives them and their releases.
  volumes: { game: {} },

  edge: {
    listen: [{ port: 8080 }],

    // Players are known by the token that the game signs when they log in, with a key whose public half it hands out;
    // "per user" counts by the player's name then, and by address for whoever is not signed in.
    identity: {
      jwt: { jwks: { service: 'web', path: '/.well-known/jwks.json' }, from: { cookie: 'arcade' } },
    },

    routes: {
      // Guessing passwords is slow work: five tries a minute for one address, three hundred for everybody.
      'POST /login': { to: 'web', limit: ['5/min per ip', '300/min'] },
      'POST /accounts': { to: 'web', limit: '10/hour per ip' },

      // The game itself bounds what is said; this only keeps a flood away from it.
      'POST /chat': { to: 'web', limit: ['30/min per user burst 10', '60/min per ip burst 20'] },

      // An export weighs as much as ten requests. A player may have eight of them in a day, which begins at midnight.
      'POST /exports': {
        to: 'web',
        cost: 10,
        limit: ['120/min per user burst 60', '80/day per user resets 00:00 Europe/Vienna', '1200/min'],
      },

      // A round takes half a minute. What comes too early waits a moment before it is refused.
      'POST /scores': { to: 'web', limit: '60/min per user burst 10 queue 4 for 2s' },

      // Open for a long time: bounded by how many at once, and the pool by what each player says in it.
      'GET /chat/live': { to: 'web', limit: '10 at once per ip', idleTimeout: '5min' },
      'GET /play': {
        to: 'web',
        limit: '10 at once per ip',
        // The first slows down whoever thrashes about, the second throws out whoever goes on.
        messages: ['10/s per user burst 30', '200 in any 30s per user'],
        idleTimeout: '5min',
      },

      'GET /assets/*': { to: 'web', limit: '600/min per ip burst 100' },

      // Everything else. The second limit is on trial: it counts what it would refuse and refuses nothing.
      '/*': { to: 'web', limit: ['240/min per ip burst 60', 'dry run 60/min per ip'] },
    },

    // Who tries doors that are not there gets no answers at all for a while.
    errors: '60/min per ip burst 40',
  },

  // What the game takes from these, it takes by itself, with holdfast-limit: see limits.ts.
  limits: rules,

  // "holdfast who-knows sqlite" finds the lead. Where to reach somebody would stand in "reach: { email: ... }".
  people: {
    lead: { role: 'administer', knows: { deeply: ['the game', 'SQLite'], broadly: ['TLS'] } },
    support: { role: 'view', knows: { deeply: ['accounts'], broadly: ['the game'] } },
  },
})
