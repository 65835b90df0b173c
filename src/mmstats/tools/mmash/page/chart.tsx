/** The lines of one stat, and the same as a table for whoever does not see them. */

import { useState } from 'preact/hooks'
import { clock, human, quantity } from './numbers'
import { type Line, type Look, Plot, styled } from './plot'
import { MEANS } from './address'
import { Choice } from './choice'
import { rolling } from './rolling'
import { linesOf, type Samples, type Stat } from './samples'

const COLOURS: Record<string, string> = { p99: '--line-3', p90: '--line-2', p50: '--line-1' }
const DASHES: Record<string, number[]> = { p99: [], p90: [8, 4], p50: [2, 3] }
const MOST_ROWS = 120

export interface Shown {
  mode: string
  /** Seconds. */
  window: number
  span: [number, number] | null
  /** Of so many samples the mean is drawn, too. */
  avg: number
}

interface Props {
  stat: Stat
  samples: Samples
  shown: Shown
  look: Look
  limit: (value: number | null) => void
  mean: (samples: number) => void
}

/** From which sample on, and up to which. */
export function extent(samples: Samples, { span, window }: Shown): [number, number] {
  return span ? [samples.from(span[0]), samples.from(span[1])] : [samples.since(window), samples.times.length]
}

export function unitOf(stat: Stat, what: string): string {
  return what === 'rate' ? '1/s' : stat.unit
}

export function Chart({ stat, samples, shown, look, limit, mean }: Props) {
  const [first, last] = extent(samples, shown)
  const whats = linesOf(stat, shown.mode)
  const times = samples.times.slice(first, last)
  const lines: Line[] = whats.map((what) => ({
    label: what,
    unit: unitOf(stat, what),
    colour: styled(COLOURS[what] ?? '--line-1'),
    dash: DASHES[what] ?? [],
    values: samples.values(stat.lines.get(what)!).slice(first, last),
  }))
  const [only] = lines
  if (shown.avg && only && lines.length === 1) {
    // Of those before the first one that is shown, too.
    const values = samples.values(stat.lines.get(only.label)!)
    const label = `mean of ${shown.avg}`
    const drawn = rolling(values.slice(0, last), shown.avg).slice(first)
    lines.push({ label, unit: only.unit, colour: styled('--line-3'), dash: [8, 4], values: drawn })
  }
  return (
    <figure class="chart" data-stat={stat.name}>
      <Plot name={`${stat.key} ${shown.mode}`} times={times} lines={lines} isBand={whats.length > 1} look={look} />
      <div class="beside">
        <Table times={times} lines={lines} />
        <Choice
          name="Mean"
          value={String(shown.avg)}
          choices={MEANS.map((many) => [String(many), many ? `mean of ${many}` : 'no mean'])}
          choose={(value) => mean(Number(value))}
        />
        <Limit unit={unitOf(stat, whats[0] ?? '')} value={look.limit} change={limit} />
      </div>
    </figure>
  )
}

function Table({ times, lines }: { times: number[]; lines: Line[] }) {
  const [isOpen, open] = useState(false)
  const from = Math.max(0, times.length - MOST_ROWS)
  return (
    <details onToggle={(event) => open(event.currentTarget.open)}>
      <summary>As a table</summary>
      {isOpen && (
        <div class="scroll" tabIndex={0} role="region" aria-label="As a table">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {lines.map((line) => (
                  <th scope="col" class="number">
                    {line.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times
                .slice(from)
                .map((time, row) => (
                  <tr key={time}>
                    <th scope="row">{clock(time)}</th>
                    {lines.map((line) => (
                      <td class="number">{human(line.values[from + row] ?? null, line.unit)}</td>
                    ))}
                  </tr>
                ))
                .reverse()}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}

/** Where a line is drawn that nothing should be above. */
function Limit({ unit, value, change }: { unit: string; value: number | null; change: Props['limit'] }) {
  const [typed, type] = useState<string | null>(null)
  const isWrong = typed !== null && typed.trim() !== '' && quantity(typed, unit) === null
  const done = () => {
    if (typed === null || isWrong) return
    change(typed.trim() ? quantity(typed, unit) : null)
    type(null)
  }
  return (
    <label class="limit">
      line at{' '}
      <input
        size={6}
        placeholder={unit === 'seconds' ? '50ms' : unit === 'bytes' ? '10Mi' : '1.5k'}
        value={typed ?? (value === null ? '' : human(value, unit))}
        aria-invalid={isWrong}
        onInput={(event) => type(event.currentTarget.value)}
        onBlur={done}
        onKeyDown={(event) => event.key === 'Enter' && done()}
      />
    </label>
  )
}
