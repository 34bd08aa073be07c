// Who is compared. Each file is how the peer's own README has it used; `install({ io, middleware, options, isShared })` gets the
// Express session middleware, the options that it was made of, and whether other processes write the sessions, too. It answers
// the events `read` (a value of the session, the plain way), `fresh` (the same, the way that sees what HTTP changed), `count`
// (the counter, that way) and `save` (counts one up and saves it). `isLate`: has no session when `connection` fires, and refuses
// nobody. `isLimit`: nothing to use, but what can be reached; `only` in these scenarios.
export const peers = {
  bare: { title: 'bare', about: 'Socket.IO without any session', isLimit: true, load: () => import('./bare.mjs') },
  least: {
    title: 'least',
    about: 'no peer either: cookie, signature, `store.get`, `createSession` and a room, and nothing kept true',
    isLimit: true,
    only: ['cold', 'headers'],
    load: () => import('./least.mjs'),
  },
  docs: { title: 'docs', about: "the docs' recipe, `io.engine.use(session(…))`", load: () => import('./docs.mjs') },
  'docs-once': {
    title: 'docs, once',
    about: "the docs' recipe, its variant for the handshake only",
    load: () => import('./docs-once.mjs'),
  },
  essio: { title: 'e-s.io-s', about: '`express-socket.io-session`', load: () => import('./essio.mjs') },
  'essio-auto': {
    title: 'e-s.io-s, auto',
    about: '`express-socket.io-session` with `autoSave: true`',
    load: () => import('./essio-auto.mjs'),
  },
  sessionsockets: {
    title: 's.s.io',
    about: '`session.socket.io`, `getSession` in each event',
    isLate: true,
    load: () => import('./sessionsockets.mjs'),
  },
  ours: { title: 'ours', about: '`handshake-session`', load: () => import('./ours.mjs') },
}
