/** What a developer is told where nobody listens: process warnings, outside production, each once. */
import type { SessionError } from '../errors'

export function isProduction(): boolean {
  return process.env['NODE_ENV'] === 'production'
}

/** Warns of the first error of each code. */
export class Warnings {
  readonly #told = new Set<string>()

  warn({ message, code }: SessionError): void {
    if (isProduction() || this.#told.has(code)) return
    this.#told.add(code)
    const mute = 'with the option `onError` you hear of all, and this is silent'
    process.emitWarning(`${message} (only the first ${code} is shown; ${mute})`, { type: 'SessionWarning', code })
  }
}
