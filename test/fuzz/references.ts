/**
 * The rules, written once more and as plainly as can be, on nothing but Node: what the package lets in, these must let in
 * as well.
 */
import { createHmac } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

/** The value of the first cookie of that name. Blanks around names and values do not count, nor quotes around values; `%` errors stay as they are. */
export function cookieOf(header: unknown, name: string): string | undefined {
  if (typeof header !== 'string' || header.length > 32_768) return undefined
  for (const pair of header.split(';')) {
    const [key, ...rest] = pair.split('=')
    if (rest.length > 0 && trimBlanks(key as string) === name)
      return percentDecoded(unquoted(trimBlanks(rest.join('='))))
  }
  return undefined
}

function trimBlanks(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && ' \t'.includes(text[start] as string)) start++
  while (end > start && ' \t'.includes(text[end - 1] as string)) end--
  return text.slice(start, end)
}

function unquoted(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `s:<id>.<signature>` → the id, if one of the secrets signed it. */
export function idIn(value: string | undefined, secrets: readonly string[]): string | undefined {
  if (value === undefined || value.length > 4_096 || !value.startsWith('s:')) return undefined
  const dot = value.lastIndexOf('.')
  const id = value.slice(2, Math.max(dot, 2))
  return id && secrets.some((secret) => signatureOf(id, secret) === value.slice(dot + 1)) ? id : undefined
}

function signatureOf(id: string, secret: string): string {
  return createHmac('sha256', secret).update(id).digest('base64').replaceAll('=', '')
}

/** The value of express-session's cookie, not percent-encoded. */
export function sign(id: string, secret: string): string {
  return `s:${id}.${signatureOf(id, secret)}`
}

/** Whether this text is that ticket: the bytes count, and base64url has several spellings of them. */
export function isTicket(text: unknown, issued: string): boolean {
  return (
    typeof text === 'string' && text.length <= 1_024 && Buffer.from(text, 'base64url').toString('base64url') === issued
  )
}

interface Page {
  origin?: string | undefined
  host?: string | undefined
  referer?: string | undefined
  'sec-fetch-site'?: string | undefined
}

/** Whether a page of this origin may use the cookie, where `trusted` are the origins that the app named. */
export function mayUseCookie(headers: Page, url: string, trusted: readonly string[]): boolean {
  const { origin, host, referer, 'sec-fetch-site': site } = headers
  const isScript =
    site !== undefined || referer !== undefined || new URLSearchParams(/^[^#?]*\?([^#]*)/.exec(url)?.[1]).has('j')
  if (origin === undefined && (site === 'same-origin' || site === 'none' || !isScript)) return true
  const page = origin ?? parse(referer ?? '')?.origin ?? 'null'
  if (trusted.includes(page)) return true
  const { protocol, host: own } = parse(page) ?? {}
  return Boolean(host && /^https?:$/.test(protocol ?? '') && parse(`${protocol}//${host}`)?.host === own)
}

function parse(url: string): URL | undefined {
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}

/** What is left of a value that travels as JSON, or is stored as such. */
export function survivesAs(value: unknown, stored: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify({ value })), JSON.parse(JSON.stringify({ value: stored })))
}
