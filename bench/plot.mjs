// The plot of the results: a panel for each figure in which peers differ, a bar for each peer, a whisker from the lowest
// round to the highest.
import { format, titleOf } from './figures.mjs'

const panel = { width: 470, gap: 30, columns: 2, title: 34, bar: 19, label: 104, value: 70 }

export function drawPlot(figures, peers) {
  const drawn = figures.filter(({ unit, cells }) => unit !== 'yes' && Object.keys(withoutBase(cells)).length > 1)
  const height = panel.title + panel.bar * (Object.keys(peers).length - 1) + panel.gap
  const rows = Math.ceil(drawn.length / panel.columns)
  const width = panel.columns * (panel.width + panel.gap) + panel.gap
  const panels = drawn.map((figure, index) => {
    const x = panel.gap + (index % panel.columns) * (panel.width + panel.gap)
    const y = panel.gap + Math.floor(index / panel.columns) * height
    return `<g transform="translate(${x} ${y})">${drawPanel(figure, peers)}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${rows * height + panel.gap}" font-family="system-ui, sans-serif" font-size="12" fill="#24292f">
<!-- biome-ignore-all format: generated -->
<title>What a session on the socket costs</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${panels.join('\n')}
</svg>
`
}

/** Bare has no bar where it is what the others are counted from. */
function withoutBase(cells) {
  const { bare: _, ...others } = cells
  return others
}

function drawPanel(figure, peers) {
  const cells = Object.entries(withoutBase(figure.cells))
  const room = panel.width - panel.label - panel.value
  const scale =
    room / Math.max(...cells.map(([, { median, high }]) => Math.max(median, Math.min(high, median * 2))), 1e-9)
  const bars = cells.map(([name, cell], index) =>
    drawBar(cell, { name, index, scale, figure, room, title: peers[name].title }),
  )
  return `<text y="14" font-weight="600">${titleOf(figure)}</text>${bars.join('')}`
}

function drawBar({ median, low, high }, { name, index, scale, figure, room, title }) {
  const y = panel.title - 10 + index * panel.bar
  const x = (value) => (panel.label + Math.min(room, Math.max(0, value) * scale)).toFixed(1)
  const middle = y + panel.bar / 2 - 1
  return [
    `<text x="${panel.label - 8}" y="${middle + 4}" text-anchor="end">${title}</text>`,
    `<rect x="${panel.label}" y="${y}" width="${(x(median) - panel.label).toFixed(1)}" height="${panel.bar - 5}" fill="${name === 'ours' ? '#0969da' : '#afb8c1'}"/>`,
    `<path d="M${x(low)} ${middle}H${x(high)}" stroke="#57606a"/>`,
    `<text x="${panel.width - 4}" y="${middle + 4}" text-anchor="end">${format(median, figure)}</text>`,
  ].join('')
}
