/**
 * The `origins` setting as a `cors.origin` function. 0.9: `'*:*'`, `'app.example.com:80 *:8080'`, with `*` for any host
 * or port; 2.x also whole origins, and a function `(origin, callback)`.
 */
export type AskOrigin = (origin: string | undefined, answer: (error: Error | null, allowed?: boolean) => void) => void

export function corsOrigin(value: unknown): AskOrigin {
  if (typeof value === 'function') return askOld(value as AskOrigin)
  const rules = [value].flat().flatMap((rule) => String(rule).split(/\s+/))
  return (origin, answer) => answer(null, origin !== undefined && rules.some((rule) => matches(origin, rule)))
}

/** As 2.x asked it: with `'*'` for a request that has no origin; and what it throws refuses. */
function askOld(ask: AskOrigin): AskOrigin {
  return (origin = '*', answer) => {
    try {
      ask(origin, answer)
    } catch (error) {
      answer(error as Error)
    }
  }
}

function matches(origin: string, rule: string): boolean {
  if (rule === '*:*' || rule === '*') return true
  if (rule.includes('://')) return origin === rule.replace(/\/$/, '')
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (!url) return false
  const defaultPort = url.protocol === 'https:' ? '443' : '80'
  const [, host, port = defaultPort] = /^(.*?)(?::(\*|\d+))?$/.exec(rule) ?? []
  return (host === '*' || host === url.hostname) && (port === '*' || port === (url.port || defaultPort))
}
