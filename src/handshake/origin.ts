/**
 * May a page of this origin use the cookie? Browsers send cookies with a WebSocket from any site, and CORS does not
 * stop them, so the check is made here, for every transport (OWASP: cross-site WebSocket hijacking).
 */
import type { IncomingHttpHeaders } from 'node:http'
import { attempt, SessionError } from '../errors'

export type OriginRule = string | RegExp
export type OriginTest = (origin: string, headers: IncomingHttpHeaders) => boolean | Promise<boolean>
export type Origins = OriginRule | OriginRule[] | OriginTest

/** The part of a handshake that tells where it comes from. */
export interface RequestLike {
  headers: IncomingHttpHeaders
  url?: string | undefined
  /** Whether the request came over TLS, as a Socket.IO handshake says it; an `IncomingMessage` has its socket for that. */
  secure?: boolean
  socket?: unknown
}

/** The `cors` of all attached servers, as they are now. */
export type AllCors = () => readonly CorsLike[]

/** A server's `cors` option, or the function that gives it for a request (the `cors` package documents both). */
export type CorsLike = CorsOptions | AskCors<{ headers: IncomingHttpHeaders }>

interface CorsOptions {
  origin?: unknown
  credentials?: unknown
}

type AskCors<Subject> = (subject: Subject, callback: (error: unknown, answer?: unknown) => void) => void

/**
 * Passes a request without an origin (not a browser), one of the server's own, and those that `origins` or, without
 * it, `cors` allow.
 * @returns a promise only where a rule has to be asked
 * @throws SessionError (rejects) `ERR_SESSION_ORIGIN`; its message has both values and names the option
 */
export function checkOrigin(
  request: RequestLike,
  origins: Origins | undefined,
  cors: AllCors,
): Promise<void> | undefined {
  const { headers } = request
  const origin = originOf(request)
  if (origin === undefined || isOwn(origin, request)) return undefined
  const asked = origins === undefined ? allowedByCors(origin, headers, cors) : allowed(origin, headers, origins)
  return refuseUnless(asked, origin, headers.host)
}

async function refuseUnless(asked: Promise<boolean>, origin: string, host = 'a server without Host header') {
  const isAllowed = await asked.catch((cause) => {
    throw new SessionError('ERR_SESSION_ORIGIN', `the check of origin ${printable(origin)} failed`, { cause })
  })
  if (isAllowed) return
  throw new SessionError(
    'ERR_SESSION_ORIGIN',
    `a page of ${printable(origin)} connects to ${printable(host)}; ` +
      'if that is meant (another site, or a proxy that rewrites Host), name it in the option `origins`\n' +
      '- nginx in front: `proxy_set_header Host $host` lets your own site be known\n' +
      "- `cors.origin: '*'` names nobody, as browsers send no cookies for it",
  )
}

/**
 * The origin of the page, or undefined where no browser is involved. A `<script>` request (JSONP polling, by Engine.IO's
 * parameter `j`) has no Origin header, but browsers mark it with Sec-Fetch-Site (W3C Fetch Metadata), older ones with a
 * Referer.
 */
function originOf({ headers, url = '' }: RequestLike): string | undefined {
  if (headers.origin !== undefined) return headers.origin
  const site = headers['sec-fetch-site']
  if (site === 'same-origin' || site === 'none') return undefined
  if (headers.referer !== undefined) return parseURL(headers.referer)?.origin ?? 'null'
  if (site !== undefined) return 'null'
  return /[?&](j|%6a)(=|&|#|$)/i.test(url) ? 'null' : undefined // Engine.IO decodes the names of parameters.
}

/** One rule, without the shorthands of arrays and functions. */
function matches(origin: string, rule: unknown): boolean {
  return rule instanceof RegExp ? origin.search(rule) !== -1 : rule === origin
}

/** Of a function's answers `true` alone lets in, not something else by mistake. */
async function allowed(origin: string, headers: IncomingHttpHeaders, origins: Origins): Promise<boolean> {
  if (typeof origins === 'function') return (await origins(origin, headers)) === true
  return origins === '*' || [origins].flat().some((rule) => matches(origin, rule))
}

/** `origin: true` allows every page, so it counts only where the server lets every page send cookies as well. */
async function allowedByCors(origin: string, headers: IncomingHttpHeaders, cors: AllCors): Promise<boolean> {
  for (const each of cors()) {
    const options = typeof each === 'function' ? ((await ask(each, { headers })) as CorsOptions) : each
    const rule = options?.origin
    const answer = typeof rule === 'function' ? await ask(rule as AskCors<string>, origin) : rule
    if (answer === true && (options.credentials === true || typeof rule === 'function')) return true
    if ([answer].flat().some((one) => matches(origin, one))) return true
  }
  return false
}

function ask<Subject>(question: AskCors<Subject>, subject: Subject): Promise<unknown> {
  return new Promise((resolve, reject) => {
    question(subject, (error, answer) => (error ? reject(error) : resolve(answer)))
  })
}

/**
 * A page by plain HTTP is of another site than the server if that is known to use TLS: anybody on the way may have made
 * it. Behind a proxy that ends TLS nobody knows.
 */
function isOwn(origin: string, { headers: { host }, secure, socket }: RequestLike): boolean {
  const isByTLS = secure === true || (Object(socket) as { encrypted?: unknown }).encrypted === true
  const protocols = isByTLS ? ['https:'] : ['https:', 'http:']
  if (!host || protocols.some((protocol) => origin === `${protocol}//${host}`)) return Boolean(host)
  const page = parseURL(origin)
  if (!page || !protocols.includes(page.protocol)) return false
  return parseURL(`${page.protocol}//${host}`)?.host === page.host // Without the port, where it is the protocol's own.
}

export function parseURL(url: string): URL | undefined {
  return attempt(() => new URL(url))
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
