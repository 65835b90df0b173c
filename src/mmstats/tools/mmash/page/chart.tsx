/** The lines of one stat, and the same as a table for whoever does not see them. */

import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { clock, human } from './numbers'
import { linesOf, type Samples, type Stat } from './samples'

const COLOURS: Record<string, string> = { p99: '--line-3', p90: '--line-2', p50: '--line-1' }
const DASHES: Record<string, number[]> = { p99: [], p90: [8, 4], p50: [2, 3] }
const HEIGHT = 180
const IN_TABLE = 12
const cursors = uPlot.sync('mmash')

interface Props {
  stat: Stat
  samples: Samples
  mode: string
  window: number
  beat: number
  theme: string
}

function colour(what: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(COLOURS[what] ?? '--line-1').trim()
}

function data({ stat, samples, mode, window }: Props): uPlot.AlignedData {
  const from = samples.since(window)
  const columns = linesOf(stat, mode).map((what) => samples.values(stat.lines.get(what)!).slice(from))
  return [samples.times.slice(from), ...columns]
}

function unitOf(stat: Stat, what: string): string {
  return what === 'rate' ? '1/s' : stat.unit
}

function options(props: Props, width: number): uPlot.Options {
  const { stat, mode } = props
  const lines = linesOf(stat, mode)
  const text = getComputedStyle(document.documentElement).getPropertyValue('--text').trim()
  const grid = { stroke: getComputedStyle(document.documentElement).getPropertyValue('--rule').trim(), width: 1 }
  return {
    width,
    height: HEIGHT,
    cursor: { sync: { key: cursors.key }, drag: { x: true, y: false } },
    legend: { live: true },
    scales: { y: { range: (_, low, high) => [Math.min(0, low), high > low || high > 0 ? high * 1.08 : low + 1] } },
    axes: [
      { stroke: text, grid, ticks: grid },
      {
        stroke: text,
        grid,
        ticks: grid,
        size: 64,
        values: (_, splits) => splits.map((value) => human(value, unitOf(stat, lines[0] ?? ''))),
      },
    ],
    series: [
      { label: 'time', value: (_, value) => (value === null ? '–' : clock(value)) },
      ...lines.map((what) => ({
        label: what,
        stroke: colour(what),
        width: 1.5,
        dash: DASHES[what] ?? [],
        spanGaps: false,
        value: (_: uPlot, value: number | null) => human(value, unitOf(stat, what)),
      })),
    ],
    bands: lines.length > 1 ? [{ series: [1, lines.length], fill: `${colour('p99')}22` }] : [],
  }
}

export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const { stat, mode, theme, samples, beat } = props
  const lines = linesOf(stat, mode)

  useEffect(() => {
    const room = place.current!
    const made = new uPlot(options(props, room.clientWidth), data(props), room)
    plot.current = made
    const watch = new ResizeObserver(() => made.setSize({ width: room.clientWidth, height: HEIGHT }))
    watch.observe(room)
    return () => {
      watch.disconnect()
      made.destroy()
    }
  }, [stat.key, mode, theme, lines.join()])

  useEffect(() => {
    const made = plot.current!
    const zoomed = made.scales.x!.max !== undefined && isZoomed(made)
    made.setData(data(props), !zoomed)
  }, [beat, props.window])

  const from = Math.max(0, samples.times.length - IN_TABLE)
  return (
    <figure class="chart" data-stat={stat.name}>
      <div ref={place} onDblClick={() => plot.current?.setData(data(props), true)} />
      <details>
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {lines.map((what) => <th scope="col" class="number">{what}</th>)}
            </tr>
          </thead>
          <tbody>
            {samples.times.slice(from).map((time, row) => (
              <tr>
                <th scope="row">{clock(time)}</th>
                {lines.map((what) => (
                  <td class="number">
                    {human(samples.values(stat.lines.get(what)!)[from + row] ?? null, unitOf(stat, what))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}

/** Whether somebody chose a part of the time: it stays what was chosen. */
function isZoomed(made: uPlot): boolean {
  const times = made.data[0]
  const { min, max } = made.scales.x!
  if (!times.length || min === undefined || max === undefined) return false
  return min > times[0]! || max < times[times.length - 1]!
}
