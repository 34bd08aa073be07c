/** What clients may send: texts, Cookie headers, signed values and their forgeries, and payloads of every type that travels. */
import fc from 'fast-check'
import { sign } from './references.js'

/** The secrets of the servers, then one that is none of theirs. */
export const secrets = ['keyboard cat', 'the one before'] as const
const anySecret = fc.constantFrom(...secrets, 'somebody else’s')

/** Every byte, as Node reads headers. */
const latin1 = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'))
/** Every UTF-16 unit, halves of pairs among them. */
const utf16 = fc.uint16Array({ maxLength: 12 }).map((units) => String.fromCharCode(...units))
const oddTexts = [
  '',
  '%',
  '%E0%A4%A',
  '%zz',
  '%00',
  '%ff',
  '\0',
  ' ',
  '\t',
  '"',
  '""',
  'null',
  '0',
  'é',
  '💩',
  'j:{"a":1}',
]
export const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...oddTexts) },
  { weight: 3, arbitrary: latin1(24) },
  { weight: 1, arbitrary: utf16 },
  { weight: 1, arbitrary: fc.string({ maxLength: 24 }) },
)

const kinds = [
  'none',
  'none',
  'none',
  'flip',
  'cut',
  'append',
  'prepend',
  'pad',
  'url',
  'upper',
  'unsign',
  'json',
] as const

/** A change to something genuine. */
export interface Forgery {
  kind: (typeof kinds)[number]
  at: number
  by: string
}

export const forgery: fc.Arbitrary<Forgery> = fc.record({ kind: fc.constantFrom(...kinds), at: fc.nat(400), by: text })

export function forge(genuine: string, { kind, at, by }: Forgery): string {
  const place = at % (genuine.length || 1)
  const forgeries: Record<Forgery['kind'], () => string> = {
    none: () => genuine,
    flip: () => genuine.slice(0, place) + (by[0] ?? 'A') + genuine.slice(place + 1),
    cut: () => genuine.slice(0, place),
    append: () => genuine + by,
    prepend: () => by + genuine,
    pad: () => `${genuine}=`,
    url: () => genuine.replaceAll('+', '-').replaceAll('/', '_'),
    upper: () => genuine.toUpperCase(),
    unsign: () => genuine.slice(2),
    json: () => `j:"${genuine}"`,
  }
  return forgeries[kind]()
}

/** Values of session cookies: genuine ones of these ids, and forgeries of them. */
export function signedValues(ids: readonly string[]): fc.Arbitrary<string> {
  const id = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...ids) },
    text,
    fc.constantFrom('x'.repeat(5_000), 'j:"ann-id"'),
  )
  const forged = fc.tuple(id, anySecret, forgery).map(([id, secret, forgery]) => forge(sign(id, secret), forgery))
  return fc.oneof({ weight: 9, arbitrary: forged }, fc.constantFrom(...ids), text)
}

const names = [
  'connect.sid',
  'connect.sid',
  'connect.sid',
  'sid',
  '__proto__',
  'constructor',
  'toString',
  '',
  'Connect.Sid',
]
export const cookieName = fc.constantFrom(...names)
const blank = fc.constantFrom('', '', '', ' ', '\t', '  ')
const written = [encodeURIComponent, String, (value: string) => `"${value}"`] as const

/** Headers of the greatest sizes: those that are read, and those that are not. */
export const giants = [
  ';'.repeat(100_000),
  '='.repeat(60_000),
  ' '.repeat(60_000),
  'a=1;'.repeat(16_000),
  `connect.sid=${'%'.repeat(60_000)}`,
]
/** As many different cookies as there is room for; Express's own parser takes its time for them. */
const multitudes = [16_000, 65_000].flatMap((length) =>
  ['', '%', '%41', 's:'].map((value) => manyCookies(length, value)),
)

function manyCookies(length: number, value: string): string {
  let header = ''
  for (let index = 0; header.length < length; index++) header += `${index.toString(36)}=${value};`
  return header
}

/** Cookie headers by their grammar, with every mistake in it, and random bytes. */
export function cookieHeaders(ids: readonly string[], sizes = [...giants, ...multitudes]): fc.Arbitrary<string> {
  const value = fc.oneof({ weight: 3, arbitrary: signedValues(ids) }, text).map(toWellFormed)
  const pair = fc
    .tuple(blank, cookieName, blank, blank, fc.constantFrom(...written), value, blank)
    .map(([a, name, b, c, write, value, d]) => `${a}${name}${b}=${c}${write(value)}${d}`)
  const part = fc.oneof({ weight: 5, arbitrary: pair }, text)
  const grammar = fc
    .tuple(fc.array(part, { maxLength: 5 }), fc.constantFrom('; ', ';'))
    .map(([all, by]) => all.join(by))
  const giant = fc.tuple(fc.constantFrom(...sizes), grammar, fc.boolean())
  return fc.oneof(
    { weight: 40, arbitrary: grammar },
    { weight: 8, arbitrary: latin1(200) },
    {
      weight: 1,
      arbitrary: giant.map(([much, little, isFirst]) => (isFirst ? `${much};${little}` : `${little};${much}`)),
    },
  )
}

/** Halves of pairs cannot be percent-encoded. */
export function toWellFormed(value: string): string {
  return value.replace(/\p{Surrogate}/gu, '?')
}

const oddObjects = [
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"toString":1,"valueOf":null,"toJSON":"x"}',
  '{"then":1,"length":1e9}',
  '{"cookie":null,"id":7}',
]
const binary = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
/** Nested as deep as that; a failure shows it in a word. */
const nested = (depth: number): object =>
  Object.defineProperty(JSON.parse('['.repeat(depth + 1) + ']'.repeat(depth + 1)), fc.toStringMethod, {
    value: () => `nested(${depth})`,
  })
const deep = fc.nat(1_000).map(nested)
/** So deep that JSON can read it and not write it. */
export const abyss = fc.nat(10_000).map((more) => nested(10_000 + more))

/** Anything that a client can put in a message: JSON, and binary data in it. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.constantFrom<unknown>(null, undefined, true, false, 0, -1, 1e308, '', '0', [], [[], {}]),
  },
  { weight: 20, arbitrary: text },
  { weight: 20, arbitrary: fc.constantFrom(...oddObjects).map((json) => JSON.parse(json)) },
  { weight: 10, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 5, arbitrary: binary },
  { weight: 5, arbitrary: fc.array(fc.record({ binary }), { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.nat(3_000).map((length) => 'x'.repeat(length * 10)) },
  { weight: 1, arbitrary: fc.nat(3_000).map((length) => Array.from({ length }, (_, index) => index)) },
  { weight: 1, arbitrary: deep },
)

/** Payloads of an event that looks at this key of an object. */
export function payloadsWith(key: string, expected: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const value = fc.oneof({ weight: 3, arbitrary: expected }, hostile)
  const wrapped = fc
    .tuple(value, fc.constantFrom(...oddObjects))
    .map(([value, json]) => own(JSON.parse(json), key, value))
  const plain = value.map((value) => own({}, key, value))
  return fc.oneof({ weight: 4, arbitrary: plain }, wrapped, hostile, value)
}

/** As what comes over the wire: there is no key without a value. */
function own(object: object, key: string, value: unknown): unknown {
  if (value === undefined) return object
  return Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}
