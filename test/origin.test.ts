/** Which pages may use the cookie, rule by rule; `refusals.test.ts` has them on the wire, of real servers and clients. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Origins } from 'handshake-session'
import { checkOrigin } from 'handshake-session/internals'
import { describe, expect, test } from 'vitest'

type Cors = ReturnType<Parameters<typeof checkOrigin>[2]>

interface Rules {
  origins?: Origins
  cors?: Cors
  url?: string
  /** Whether the request is known to have come over TLS. */
  secure?: boolean
}

const host = 'a.example'
const page = 'https://app.example.com'
const jsonp = '/socket.io/?EIO=4&transport=polling&j=0'

/** A `cors.origin` that answers so. */
const answering = (error: unknown, may: boolean) => (_origin: string, done: (error: unknown, may: boolean) => void) =>
  done(error, may)

/** Whether a handshake with these headers may use the cookie; a refusal has its code. */
async function passes(headers: IncomingHttpHeaders, { origins, cors = [], ...rest }: Rules = {}): Promise<boolean> {
  try {
    await checkOrigin({ headers: { host, ...headers }, ...rest }, origins, () => cors)
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_SESSION_ORIGIN' })
    return false
  }
}

describe('a request without Origin', () => {
  test.each<[string, IncomingHttpHeaders, string, boolean]>([
    ['of a program', {}, '/socket.io/?EIO=4', true],
    ['of the own site', { 'sec-fetch-site': 'same-origin', referer: 'https://evil.example/' }, jsonp, true],
    ['from the address bar', { 'sec-fetch-site': 'none' }, jsonp, true],
    ['of another host of the same site', { 'sec-fetch-site': 'same-site' }, jsonp, false],
    ['of another site', { 'sec-fetch-site': 'cross-site' }, '/socket.io/?EIO=4', false],
    ['of a kind that is not known yet', { 'sec-fetch-site': 'new' }, '/socket.io/?EIO=4', false],
    ['of an old browser, by a script', {}, jsonp, false],
    ['of an old browser, by a script, in the first place', {}, '/socket.io/?j=0&EIO=4', false],
    ['of an old browser, by a script that spells it out', {}, '/socket.io/?EIO=4&transport=polling&%6A=0', false],
    ['of an old browser, by a script that spells it so', {}, '/socket.io/?EIO=4&%6a=0', false],
    ['of an old browser, by a script that gives it no value', {}, '/socket.io/?EIO=4&j', false],
    ['of an old browser, by a script that gives it no value, before others', {}, '/socket.io/?j&EIO=4', false],
    ['of a program that has parameters of its own', {}, '/socket.io/?EIO=4&jwt=0&obj=0', true],
    ['of an old browser, by a script of the own site', { referer: 'https://a.example/page' }, jsonp, true],
    ['of an old browser, from another page', { referer: 'https://evil.example/a.example' }, '/?EIO=4', false],
    ['with a Referer that is none', { referer: 'a.example' }, '/?EIO=4', false],
  ])('%s', async (_what, headers, url, may) => {
    expect(await passes(headers, { url })).toBe(may)
  })
})

describe('a page', () => {
  test.each<[string, IncomingHttpHeaders, boolean]>([
    ['of the server', { origin: 'https://a.example' }, true],
    ['of the server, with the port of its protocol', { origin: 'https://a.example', host: 'a.example:443' }, true],
    ['of another site', { origin: page }, false],
    ['of another port', { origin: 'https://a.example:8443' }, false],
    ['of an extension', { origin: 'chrome-extension://a.example' }, false],
    ['whose Origin is empty', { origin: '', 'sec-fetch-site': 'same-origin' }, false],
    ['that is called as what is not there, over TLS', { origin: 'https://undefined', host: undefined }, false],
    ['that is called as what is not there', { origin: 'http://undefined', host: undefined }, false],
    ['that is called so, with a port', { origin: 'https://undefined:443', host: undefined }, false],
  ])('%s', async (_what, headers, may) => {
    expect(await passes(headers)).toBe(may)
  })
})

describe('a page by plain HTTP', () => {
  const origin = 'http://a.example'
  test.each<[string, object, boolean]>([
    ['is of the server, as far as is known', {}, true],
    ['is not of a server that is known to use TLS', { secure: true }, false],
    ['is not of a request that came over TLS', { socket: { encrypted: true } }, false],
    ['is not, with the port of its protocol either', { secure: true, origin: 'http://a.example:80' }, false],
    ['is of a server behind a proxy that ends TLS', { secure: false, socket: {} }, true],
  ])('%s', async (_what, { origin: other = origin, ...request }: { origin?: string }, may) => {
    expect(await passes({ origin: other }, request)).toBe(may)
  })

  test('over TLS the own page passes', async () => {
    expect(await passes({ origin: 'https://a.example' }, { secure: true })).toBe(true)
  })
})

describe('a page of another site, with', () => {
  const credentials = true
  test.each<[string, Rules, boolean]>([
    ['nothing', {}, false],
    ['origins: its own', { origins: page }, true],
    ['origins: one that it begins as', { origins: 'https://app.example.co' }, false],
    ['origins: another, though cors names it', { origins: [], cors: [{ origin: page }] }, false],
    ['origins: a function that says so', { origins: () => true }, true],
    ['origins: a function that says something truthy', { origins: () => 'yes' as never }, false],
    ['origins: a function that promises it', { origins: async () => true }, true],
    ['origins: a function that promises something truthy', { origins: async () => 'yes' as never }, false],
    ['origins: a function that throws', { origins: () => JSON.parse('{') }, false],
    ['origins: a function that rejects', { origins: async () => JSON.parse('{') }, false],
    ['cors that names it', { cors: [{ origin: page }] }, true],
    ['cors of which one names it', { cors: [{ origin: 'https://x.example' }, { origin: [/\.example\.com$/] }] }, true],
    ['cors that allows all', { cors: [{ origin: true }] }, false],
    ['cors that allows all, and their cookies', { cors: [{ origin: true, credentials }] }, true],
    ["cors.origin: '*'", { cors: [{ origin: '*', credentials }] }, false],
    ['cors that is asked for each request', { cors: [(_request, done) => done(null, { origin: page })] }, true],
    ['cors.origin that is asked', { cors: [{ origin: answering(null, true) }] }, true],
    ['cors.origin that is asked, and fails', { cors: [{ origin: answering(new Error('down'), true) }] }, false],
  ])('%s', async (_what, rules, may) => {
    expect(await passes({ origin: page }, rules)).toBe(may)
  })

  test('a RegExp with /g, each time', async () => {
    const origins = /^https:\/\/app\./g
    for (let times = 0; times < 3; times++) expect(await passes({ origin: page }, { origins })).toBe(true)
  })
})

test('who is refused is printed, but not at any length', async () => {
  const headers = { host, origin: `https://${'x'.repeat(10_000)}.example` }
  const checking = checkOrigin({ headers }, undefined, () => [])
  const error = await Promise.resolve(checking).catch((error: Error) => error)
  expect(error?.message).toMatch(/"https:\/\/xxx.*"a\.example".*`origins`/)
  expect(error?.message.length).toBeLessThan(1_000)
})
