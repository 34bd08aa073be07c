/** Unknown option names throw: with a misspelt `authorise` everybody would be let in. */
import { SessionError } from '../errors'

/** Options of both forms. */
const common = [
  ...['authorize', 'required', 'origins', 'timeout', 'freshFor', 'recheck', 'touch', 'mergeHttpSaves'],
  ...['redis', 'emitter', 'onError', 'store', 'secret', 'name', 'key'],
]
/** Of express-session: one object may serve both. */
const others = ['cookie', 'genid', 'proxy', 'resave', 'rolling', 'saveUninitialized', 'unset']

/** @throws SessionError `ERR_SESSION_OPTIONS` for the first name that is not known, with the one that was meant */
export function checkNames(options: object): void {
  const unknown = Object.keys(options).find((name) => !common.includes(name) && !others.includes(name))
  if (unknown === undefined) return
  const meant = common.find((name) => startOf(name) === startOf(unknown))
  const mend = meant ? `do you mean \`${meant}\`?` : `there are ${common.join(', ')}`
  throw new SessionError('ERR_SESSION_OPTIONS', `${JSON.stringify(unknown.slice(0, 40))} is no option: ${mend}`)
}

function startOf(name: string): string {
  return name.slice(0, 4).toLowerCase()
}
