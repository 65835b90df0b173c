/** The lines of one stat, and the same as a table for whoever does not see them. */

import { clock, human } from './numbers'
import { type Line, Plot, styled } from './plot'
import { linesOf, type Samples, type Stat } from './samples'

const COLOURS: Record<string, string> = { p99: '--line-3', p90: '--line-2', p50: '--line-1' }
const DASHES: Record<string, number[]> = { p99: [], p90: [8, 4], p50: [2, 3] }
const IN_TABLE = 12

interface Props {
  stat: Stat
  samples: Samples
  mode: string
  window: number
  span: [number, number] | null
  beat: number
  theme: string
}

export function Chart({ stat, samples, mode, window, span, beat, theme }: Props) {
  const first = span ? samples.from(span[0]) : samples.since(window)
  const last = span ? samples.from(span[1]) : samples.times.length
  const whats = linesOf(stat, mode)
  const unitOf = (what: string) => (what === 'rate' ? '1/s' : stat.unit)
  const lines: Line[] = whats.map((what) => ({
    label: what,
    unit: unitOf(what),
    colour: styled(COLOURS[what] ?? '--line-1'),
    dash: DASHES[what] ?? [],
    values: samples.values(stat.lines.get(what)!).slice(first, last),
  }))
  const from = Math.max(0, samples.times.length - IN_TABLE)
  return (
    <figure class="chart" data-stat={stat.name}>
      <Plot
        name={`${stat.key} ${mode}`}
        times={samples.times.slice(first, last)}
        lines={lines}
        isBand={true}
        beat={beat}
        theme={theme}
      />
      <details>
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {whats.map((what) => (
                <th scope="col" class="number">
                  {what}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {samples.times.slice(from).map((time, row) => (
              <tr>
                <th scope="row">{clock(time)}</th>
                {whats.map((what) => (
                  <td class="number">
                    {human(samples.values(stat.lines.get(what)!)[from + row] ?? null, unitOf(what))}
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
