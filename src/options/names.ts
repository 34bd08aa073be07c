/** A misspelt option says nothing by itself, and `authorise` would let everybody in: so whoever gives a name that is not known is told. */
import { SessionError } from '../errors'

/** Options of both forms. */
const common = [
  ...['authorize', 'required', 'origins', 'timeout', 'freshFor', 'recheck', 'touch', 'mergeHttpSaves'],
  ...['redis', 'emitter', 'onError', 'store', 'secret', 'name', 'key'],
]
/** Of express-session: one object may be for both. */
const others = ['cookie', 'genid', 'proxy', 'resave', 'rolling', 'saveUninitialized', 'unset']

/** @throws SessionError `ERR_SESSION_OPTIONS` for the first name that is not known, with the one that was meant */
export function checkNames(options: object): void {
  const unknown = Object.keys(options).find((name) => !common.includes(name) && !others.includes(name))
  if (unknown === undefined) return
  const meant = common.find((name) => isMeant(unknown, name))
  const mend = meant ? `do you mean \`${meant}\`?` : `there are ${common.join(', ')}`
  throw new SessionError('ERR_SESSION_OPTIONS', `${JSON.stringify(unknown.slice(0, 40))} is no option: ${mend}`)
}

/** Letters that begin a name, or so few changes that they are slips. */
const [start, slips] = [4, 2]

function isMeant(given: string, name: string): boolean {
  const [one, other] = [given.toLowerCase(), name.toLowerCase()]
  return one.slice(0, start) === other.slice(0, start) || distance(one.slice(0, 40), other) <= slips
}

/** How many letters have to be put in, left out or replaced (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const letter of one) {
    const above = row
    row = [(above[0] ?? 0) + 1]
    for (const [index, each] of [...other].entries()) {
      const [before, here, left] = [above[index] ?? 0, above[index + 1] ?? 0, row[index] ?? 0]
      row.push(Math.min(before + Number(letter !== each), here + 1, left + 1))
    }
  }
  return row.at(-1) ?? 0
}
