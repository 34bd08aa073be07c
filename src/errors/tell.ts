/** Tells the app of errors that nobody awaits: its `onError`, and `debug('handshake-session')`. */
import createDebug from 'debug'
import { asSessionError, type SessionError, type Stage, type Tell } from '../errors'

export type OnError = (error: SessionError, context: { stage: Stage }) => void

const debug = createDebug('handshake-session')

/** `onError` may fail as it likes. */
export function telling(onError: OnError | undefined): Tell {
  return (error, stage) => {
    const told = asSessionError(error, `unexpected failure during ${stage}`)
    debug('%s: %s %s', stage, told.code, told.message)
    const tellApp = async () => onError?.(told, { stage })
    tellApp().catch((failure) => debug('onError itself failed: %o', failure))
    return told
  }
}
