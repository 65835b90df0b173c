/** Lines over time. */

import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { clock, human } from './numbers'

export interface Line {
  label: string
  unit: string
  colour: string
  dash: number[]
  values: (number | null)[]
}

interface Props {
  /** Another one is another chart. */
  name: string
  times: number[]
  lines: Line[]
  /** Whether the room between the first line and the last is filled. */
  isBand: boolean
  beat: number
  theme: string
}

const HEIGHT = 180
const cursors = uPlot.sync('mmash')

/** What a variable of the style sheet says now. */
export function styled(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** Move the cursor of all charts by so many samples; what stands there, in a sentence. */
export function step(by: number): string {
  const [first] = cursors.plots
  const times = first?.data[0]
  if (!first || !times?.length) return 'there is no chart'
  const at = Math.max(0, Math.min(times.length - 1, (first.cursor.idx ?? times.length) + by))
  for (const plot of cursors.plots) plot.setCursor({ left: plot.valToPos(times[at]!, 'x'), top: HEIGHT / 4 }, false)
  const told = first.series.slice(1).map((one, line) => {
    const value = first.data[line + 1]?.[at] ?? null
    return `${String(one.label)} ${typeof one.value === 'function' ? one.value(first, value as number, line + 1, at) : value}`
  })
  return `${clock(times[at]!)}: ${told.join(', ')}`
}

function options({ lines, isBand }: Props, width: number): uPlot.Options {
  const text = styled('--text')
  const grid = { stroke: styled('--rule'), width: 1 }
  const unit = lines[0]?.unit ?? ''
  return {
    width,
    height: HEIGHT,
    cursor: { sync: { key: cursors.key }, drag: { x: true, y: false } },
    legend: { live: true },
    scales: { y: { range: (_, low, high) => [Math.min(0, low), high > low || high > 0 ? high * 1.08 : low + 1] } },
    axes: [
      { stroke: text, grid, ticks: grid },
      { stroke: text, grid, ticks: grid, size: 64, values: (_, splits) => splits.map((value) => human(value, unit)) },
    ],
    series: [
      { label: 'time', value: (_, value) => (value === null ? '–' : clock(value)) },
      ...lines.map((line) => ({
        label: line.label,
        stroke: line.colour,
        width: 1.5,
        dash: line.dash,
        spanGaps: false,
        value: (_: uPlot, value: number | null) => human(value, line.unit),
      })),
    ],
    bands: isBand && lines.length > 1 ? [{ series: [1, lines.length], fill: `${lines[0]!.colour}22` }] : [],
  }
}

export function Plot(props: Props) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const { name, times, lines, beat, theme } = props
  const data = (): uPlot.AlignedData => [times, ...lines.map((line) => line.values)]

  useEffect(() => {
    const room = place.current!
    const made = new uPlot(options(props, room.clientWidth), data(), room)
    plot.current = made
    const watch = new ResizeObserver(() => made.setSize({ width: room.clientWidth, height: HEIGHT }))
    watch.observe(room)
    return () => {
      watch.disconnect()
      made.destroy()
    }
  }, [name, theme, lines.map((line) => line.label).join()])

  useEffect(() => {
    const made = plot.current!
    if (made.over.matches(':hover')) return // who reads a number wants it to stay
    made.setData(data(), !isZoomed(made))
  }, [beat, times[0], times.length])

  return <div ref={place} onDblClick={() => plot.current?.setData(data(), true)} />
}

/** Whether somebody chose a part of the time: it stays what was chosen. */
function isZoomed(made: uPlot): boolean {
  const times = made.data[0]
  const { min, max } = made.scales.x!
  if (!times.length || typeof min !== 'number' || typeof max !== 'number') return false
  return min > times[0]! || max < times[times.length - 1]!
}
