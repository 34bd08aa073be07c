// From what was measured to figures: medians, spread, and how we stand against the best peers.
import { peers } from './peers/index.mjs'

/** One entry per figure: `cells` are by peer, with `median`, `low`, `high`, and quartiles `lower` and `upper`. */
export function figuresOf(measured) {
  return measured.flatMap(({ scenario, rounds, results }) =>
    scenario.figures.map((figure) => {
      const base = figure.over ? quantile(samples(results.bare, figure), 0.5) : 0
      const cells = {}
      for (const [name, answers] of Object.entries(results)) {
        const values = samples(answers, figure)
        // Bare's own is the only one that is not counted from bare's.
        cells[name] = summarize(name === 'bare' ? values : values.map((value) => value - base))
      }
      return { ...figure, rounds, cells, ...standing(figure, cells) }
    }),
  )
}

function samples(answers, { key }) {
  return answers.map((answer) => answer[key])
}

function summarize(values) {
  const at = (share) => quantile(values, share)
  return { median: at(0.5), low: at(0), high: at(1), lower: at(0.25), upper: at(0.75) }
}

function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)]
  return below + (sorted[Math.ceil(place)] - below) * (place % 1)
}

/**
 * How we stand against the best of the others, limits apart, and against the best that has the session in time. `isNoise`: the
 * spread of the figure is larger than any difference.
 */
function standing({ unit, isBetter, isNoise }, { ours, ...others }) {
  if (!ours || unit === 'yes' || isBetter || isNoise) return { rivals: [] }
  const names = Object.keys(others).filter((name) => !peers[name].isLimit)
  const ranked = names.sort((a, b) => others[a].median - others[b].median)
  const rivals = new Set([ranked[0], ranked.find((name) => !peers[name].isLate)])
  return { rivals: [...rivals].filter(Boolean), isLost: ranked.length > 0 && ours.median > others[ranked[0]].median }
}

/** A number of a figure, with as many digits as are worth reading. */
export function format(value, { unit }) {
  if (unit === 'yes') return value === 1 ? 'yes' : 'no'
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  const text = value.toFixed(digits)
  return Number(text) === 0 ? '0' : text
}

/** Whether a figure came out the same in each round. */
export function isSteady({ low, high }) {
  return low === high
}

/** With its unit, and whether bare was subtracted. */
export function titleOf({ label, unit, over }) {
  return `${label}${over ? ', over bare' : ''}${unit && unit !== 'yes' ? `, ${unit}` : ''}`
}

/** "37 %" of the best of the others, and who that is. */
export function ratiosOf({ rivals, cells }) {
  const known = rivals.filter((name) => cells[name].median > 0)
  return known
    .map((name) => `${percentOf(cells.ours.median / cells[name].median)} % of ${peers[name].title}`)
    .join('; ')
}

function percentOf(ratio) {
  const percent = Math.max(0, ratio) * 100
  return percent.toFixed(percent > 0 && percent < 1 ? 1 : 0)
}
