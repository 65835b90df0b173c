/** Lines over time. */

import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { followed, gestures, isHeld } from './gestures'
import { BINARY_STEPS, decades, least, stacked } from './heights'
import { clock, human } from './numbers'

export interface Line {
  label: string
  unit: string
  colour: string
  dash: number[]
  values: (number | null)[]
}

export interface Look {
  /** linear, log or stacked. */
  y: string
  /** Where a line is drawn that nothing should be above. */
  limit: number | null
  theme: string
  beat: number
  /** From when to when, in seconds since 1970; null: as long as the numbers are. */
  from: [number, number] | null
  /** Somebody chose a part of the time; null: what is now. */
  span: (span: [number, number] | null) => void
  /** Somebody clicked at that time, or again. */
  hold: (time: number | null) => void
}

interface Props {
  /** Another one is another chart. */
  name: string
  times: number[]
  lines: Line[]
  /** Whether the room between the first line and the last is filled. */
  isBand: boolean
  look: Look
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

function tinted({ colour }: Line, strength: string): string {
  return colour.startsWith('#') ? `${colour}${strength}` : colour.replace(')', ' / 0.35)')
}

function bandsOf({ lines, isBand, look }: Props): uPlot.Band[] {
  if (look.y === 'stacked' && !isBand)
    return lines.slice(1).map((line, at) => ({ series: [at + 2, at + 1], fill: tinted(line, '55') }))
  return isBand && lines.length > 1 ? [{ series: [1, lines.length], fill: tinted(lines[0]!, '22') }] : []
}

function heights(now: { current: Props }): uPlot.Scale {
  const { lines, look } = now.current
  const ceiling = (high: number) => Math.max(high, now.current.look.limit ?? -Infinity)
  if (look.y !== 'log')
    return {
      range: (_, low, high) => {
        const top = ceiling(high)
        return [Math.min(0, low), top > low || top > 0 ? top * 1.08 : low + 1]
      },
    }
  return { distr: 4, asinh: least(lines.map((line) => line.values)), range: (_, low, high) => [Math.min(0, low), Math.max(ceiling(high), 1e-9) * 1.3] }
}

function limited(plot: uPlot, limit: number | null): void {
  if (limit === null) return
  const { ctx, bbox } = plot
  const y = Math.round(plot.valToPos(limit, 'y', true))
  if (y < bbox.top || y > bbox.top + bbox.height) return
  ctx.save()
  ctx.strokeStyle = styled('--alarm')
  ctx.lineWidth = 2
  ctx.setLineDash([6, 4])
  ctx.beginPath()
  ctx.moveTo(bbox.left, y)
  ctx.lineTo(bbox.left + bbox.width, y)
  ctx.stroke()
  ctx.restore()
}

export function Plot(props: Props) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const now = useRef(props)
  now.current = props
  const { name, times, lines, look } = props
  const isStacked = look.y === 'stacked' && !props.isBand
  const data = (): uPlot.AlignedData => [times, ...(isStacked ? stacked(lines.map((line) => line.values)) : lines.map((line) => line.values))]

  useEffect(() => {
    const room = place.current!
    const made = new uPlot(options(now, room.clientWidth), data(), room)
    plot.current = made
    const undo = gestures(made, now)
    const watch = new ResizeObserver(() => made.setSize({ width: room.clientWidth, height: HEIGHT }))
    watch.observe(room)
    return () => {
      undo()
      watch.disconnect()
      made.destroy()
    }
  }, [name, look.theme, look.y, lines.map((line) => line.label).join()])

  const frame = `${look.from} ${look.limit} ${times.length === 0}`
  const framed = useRef(frame)
  useEffect(() => {
    const made = plot.current!
    const isOther = frame !== framed.current
    if (!isOther && (made.over.matches(':hover') || isHeld())) return // who reads a number wants it to stay
    framed.current = frame
    made.batch(() => {
      made.setData(data(), true)
      if (look.from) made.setScale('x', { min: look.from[0], max: look.from[1] })
    })
  }, [look.beat, frame, times[0], times.length])

  return <div ref={place} />
}

function options(now: { current: Props }, width: number): uPlot.Options {
  const props = now.current
  const text = styled('--text')
  const grid = { stroke: styled('--rule'), width: 1 }
  const unit = props.lines[0]?.unit ?? ''
  return {
    width,
    height: HEIGHT,
    cursor: { sync: { key: cursors.key }, drag: { x: true, y: false, setScale: false }, bind: followed },
    legend: { live: true },
    scales: { y: heights(now) },
    axes: [
      { stroke: text, grid, ticks: grid },
      {
        stroke: text,
        grid,
        ticks: grid,
        size: 64,
        ...(props.look.y === 'log' ? { filter: (plot, places) => decades(places, plot.scales.y!.min ?? 0) } : {}),
        ...(unit === 'bytes' && props.look.y !== 'log' ? { incrs: BINARY_STEPS } : {}),
        values: (_, splits) => splits.map((value) => (value === null ? '' : human(value, unit))),
      },
    ],
    series: [
      { label: 'time', value: (_, value) => (value === null ? '–' : clock(value)) },
      ...props.lines.map((line, place) => ({
        label: line.label,
        stroke: line.colour,
        width: 1.5,
        dash: line.dash,
        ...(props.look.y === 'stacked' && !props.isBand && place === 0 ? { fill: tinted(line, '55') } : {}),
        spanGaps: false,
        // What it is by its own, wherever it is drawn.
        value: (_: uPlot, __: number | null, ___: number, at: number | null) =>
          human(at === null ? null : (now.current.lines[place]?.values[at] ?? null), line.unit),
      })),
    ],
    bands: bandsOf(props),
    hooks: { draw: [(plot) => limited(plot, now.current.look.limit)] },
  }
}
