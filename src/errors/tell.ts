/** Tells the app of errors that nobody awaits: its `onError`, or process warnings, and `debug('handshake-session')`. */
import createDebug from 'debug'
import { asSessionError, isAnonymous, type SessionError, type Stage, type Tell } from '../errors'
import { Warnings } from './warn'

export type OnError = (error: SessionError, context: { stage: Stage }) => void

const debug = createDebug('handshake-session')

/**
 * `onError` may fail as it likes.
 * @param required whether who has no session is refused; else that is no error, only told
 */
export function telling(onError: OnError | undefined, required: boolean): Tell {
  const warnings = new Warnings()
  return (error, stage) => {
    const told = asSessionError(error, `unexpected failure during ${stage}`)
    debug('%s: %s %s', stage, told.code, told.message)
    if (!onError && (required || !isAnonymous(told))) warnings.warn(told)
    const tellApp = async () => onError?.(told, { stage })
    tellApp().catch((failure) => debug('onError itself failed: %o', failure))
    return told
  }
}
