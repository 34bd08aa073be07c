/**
 * May a page of this origin use the cookie? Browsers send cookies with a WebSocket from any site, and CORS does not
 * stop them, so the check is made here, for every transport (OWASP: cross-site WebSocket hijacking).
 */
import type { IncomingHttpHeaders } from 'node:http'
import { SessionError } from '../errors'

export type OriginRule = string | RegExp
export type OriginTest = (origin: string, headers: IncomingHttpHeaders) => boolean | Promise<boolean>
export type Origins = OriginRule | OriginRule[] | OriginTest

/** The part of a handshake that tells where it comes from. */
interface Request {
  headers: IncomingHttpHeaders
  url?: string | undefined
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
export function checkOrigin(request: Request, origins: Origins | undefined, cors: AllCors): Promise<void> | undefined {
  const { headers } = request
  const origin = originOf(request)
  return origin === undefined || isOwn(origin, request) ? undefined : askRules(origin, headers, origins, cors)
}

async function askRules(
  origin: string,
  headers: IncomingHttpHeaders,
  origins: Origins | undefined,
  cors: AllCors,
): Promise<void> {
  try {
    if (await (origins === undefined ? allowedByCors(origin, headers, cors()) : allowed(origin, origins, headers)))
      return
  } catch (cause) {
    throw new SessionError('ERR_SESSION_ORIGIN', `the check of origin ${printable(origin)} failed`, { cause })
  }
  throw new SessionError(
    'ERR_SESSION_ORIGIN',
    `a page of ${printable(origin)} connects to ${printable(headers.host ?? 'a server without Host header')}; ` +
      'if that is meant (another site, or a proxy that rewrites Host), name it in the option `origins`',
  )
}

/**
 * The origin of the page, or undefined where no browser is involved. A `<script>` request (JSONP polling) has no
 * Origin header, but browsers mark it with Sec-Fetch-Site (W3C Fetch Metadata), older ones with a Referer.
 */
function originOf({ headers, url = '' }: Request): string | undefined {
  if (headers.origin !== undefined) return headers.origin
  const site = headers['sec-fetch-site']
  if (site === 'same-origin' || site === 'none') return undefined
  if (headers.referer !== undefined) return parse(headers.referer)?.origin ?? 'null'
  return site === undefined && !isJSONP(url) ? undefined : 'null'
}

/** Whether Engine.IO answers this with a script: by the parameter `j`, which may be written with percent signs. */
function isJSONP(url: string): boolean {
  return new URLSearchParams(url.slice(url.indexOf('?') + 1)).has('j')
}

/** One rule, without the shorthands of arrays and functions. */
function matches(origin: string, rule: unknown): boolean {
  if (rule instanceof RegExp) return origin.search(rule) !== -1
  return rule === origin
}

function allowed(origin: string, origins: Origins, headers: IncomingHttpHeaders): boolean | Promise<boolean> {
  if (typeof origins === 'function') return isTrue(origins(origin, headers))
  if (origins === '*') return true
  return [origins].flat().some((rule) => matches(origin, rule))
}

/** `true` alone lets in: a function that returns something else by mistake does not. */
function isTrue(answer: boolean | Promise<boolean>): boolean | Promise<boolean> {
  return typeof answer === 'object' ? Promise.resolve(answer).then((value) => value === true) : answer === true
}

/** `origin: true` allows every page, so it counts only where the server lets every page send cookies as well. */
async function allowedByCors(
  origin: string,
  headers: IncomingHttpHeaders,
  cors: readonly CorsLike[],
): Promise<boolean> {
  for (const each of cors) {
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

/** A page by plain HTTP is of another site than the server if that is known to use TLS: anybody on the way may have made it. */
function isOwn(origin: string, request: Request): boolean {
  const { host } = request.headers
  const protocols = isByTLS(request) ? ['https:'] : ['https:', 'http:']
  if (!host || protocols.some((protocol) => origin === `${protocol}//${host}`)) return Boolean(host)
  const page = parse(origin)
  if (!page || !protocols.includes(page.protocol)) return false
  return parse(`${page.protocol}//${host}`)?.host === page.host // Without the port, where it is the protocol's own.
}

/** Behind a proxy that ends TLS nobody knows. */
function isByTLS({ secure, socket }: Request): boolean {
  return secure === true || (Object(socket) as { encrypted?: unknown }).encrypted === true
}

function parse(url: string): URL | undefined {
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}

/** Checks the option; an origin in it must be written as browsers send it. */
export function checkOrigins(
  origins: Origins | undefined,
  fail: (option: string, expected: string, actual: unknown, mend?: string) => never,
): Origins | undefined {
  if (origins === undefined || typeof origins === 'function' || origins === '*') return origins
  for (const rule of [origins].flat()) {
    if (rule instanceof RegExp || rule === 'null') continue
    if (typeof rule !== 'string') fail('origins', "'*', an origin, a RegExp, an array of them, or a function", rule)
    if (parse(rule)?.origin !== rule)
      fail('origins', 'an origin as in `https://app.example.com`', rule, 'no path, no slash')
  }
  return origins
}
