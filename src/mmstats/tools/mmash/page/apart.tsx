/** One stat told apart: a line for each process, or for each value of a tag, and which one has the most.
 *
 * That is told by its place and a word, too, not by a colour alone.
 */

import { useEffect, useRef, useState } from 'preact/hooks'
import { extent, type Shown, unitOf } from './chart'
import { human } from './numbers'
import { type Line, type Look, Plot } from './plot'
import { linesOf, Samples, type Stat } from './samples'
import type { Source } from './source'

export const PROCESS = 'process'

const EVERY = 1000
const MOST = 20 // lines; the others are one
const HUES = [212, 20, 275, 150, 330, 45, 190, 100]

interface Props {
  stat: Stat
  /** What it is told apart by. */
  by: string
  /** Whether lines are drawn, not only told. */
  isDrawn: boolean
  isPaused: boolean
  source: Source
  shown: Shown
  look: Look
}

/** The history of a stat by a key; it grows, as long as somebody looks. */
function useApart(source: Source, stat: Stat, by: string, isPaused: boolean): Samples {
  const samples = useRef(new Samples())
  const [, tick] = useState(0)
  const isPausedNow = useRef(isPaused)
  isPausedNow.current = isPaused

  useEffect(() => {
    let isHere = true
    let isAsking = false
    samples.current = new Samples()
    const ask = async () => {
      const { last } = samples.current
      if (isAsking || document.hidden || (last && isPausedNow.current)) return
      isAsking = true
      try {
        const history = await source.history(`${queryOf(stat, by)}&since=${last}`)
        if (!isHere) return
        if (!samples.current.more(history)) {
          samples.current = new Samples()
          // Of one that is another one since, all is asked for again.
          if (last) return
          samples.current.load(history)
        }
        tick((before) => before + 1)
      } catch {
        // the header says that mmash cannot be reached
      } finally {
        isAsking = false
      }
    }
    void ask()
    const timer = source.isLive ? setInterval(() => void ask(), EVERY) : undefined
    return () => {
      isHere = false
      clearInterval(timer)
    }
  }, [source, stat.key, by])
  return samples.current
}

function queryOf(stat: Stat, by: string): string {
  const keys = by === PROCESS ? by : [...new Set([...Object.keys(stat.tags), by])].join(',')
  return `select=${encodeURIComponent(stat.label.replace(/[[*?]/g, '[$&]'))}&by=${encodeURIComponent(keys)}`
}

/** Those that are of that stat; of a family's other members there may be some. */
function ofStat(one: Stat, stat: Stat, by: string): boolean {
  if (one.label !== stat.label || one.group !== stat.group) return false
  return Object.entries(stat.tags).every(([name, text]) => name === by || one.tags[name] === text)
}

interface Row {
  name: string
  now: number | null
  total: number | null
  values: (number | null)[]
}

function rowsOf(samples: Samples, stat: Stat, by: string, { mode, ...rest }: Shown): Row[] {
  const [first, last] = extent(samples, { mode, ...rest })
  const of = (one: Stat, what: string) => {
    const place = one.lines.get(what)
    return place === undefined ? null : samples.values(place)
  }
  const rows = samples.stats
    .filter((one) => ofStat(one, stat, by))
    .map((one) => {
      const values = (of(one, linesOf(one, mode)[0] ?? '') ?? []).slice(first, last)
      const total = stat.kind === 'counter' ? (of(one, 'value')?.[last - 1] ?? null) : null
      return { name: by === PROCESS ? one.process : one.tags[by] || '–', now: values.at(-1) ?? null, total, values }
    })
    .filter((row) => row.values.some((value) => value !== null) || row.total !== null)
  const high = (row: Row) => row.now ?? row.values.reduce<number>((most, value) => Math.max(most, value ?? most), -Infinity)
  return rows.sort((one, other) => Number(other.now !== null) - Number(one.now !== null) || high(other) - high(one))
}

export function Apart({ stat, by, isDrawn, isPaused, source, shown, look }: Props) {
  const samples = useApart(source, stat, by, isPaused)
  const rows = rowsOf(samples, stat, by, shown)
  if (rows.length < 2 && !isDrawn) return null
  const what = linesOf(stat, shown.mode)[0] ?? ''
  const unit = unitOf(stat, what)
  const few = rows.slice(0, MOST)
  const lightness = look.theme === 'dark' ? 70 : 38
  const lines: Line[] = few.map((one, place) => ({
    label: one.name,
    unit,
    colour: `hsl(${HUES[place % HUES.length]} 65% ${lightness}%)`,
    dash: place < HUES.length ? [] : [4, 3],
    values: one.values,
  }))
  if (rows.length > few.length) lines.push(others(rows.slice(MOST), unit, what))
  const [first, last] = extent(samples, shown)
  const title = `${what} by ${by}`
  return (
    <>
      {isDrawn && (
        <figure class="each" aria-label={title}>
          <Plot
            name={`${stat.key} ${by} ${shown.mode}`}
            times={samples.times.slice(first, last)}
            lines={lines}
            isBand={false}
            look={look}
          />
        </figure>
      )}
      <table class="processes">
        <caption>{title}</caption>
        {stat.kind === 'counter' && (
          <thead>
            <tr>
              <th scope="col">{by}</th>
              <th scope="col" class="number">
                {what === 'rate' ? 'now' : 'total'}
              </th>
              <th scope="col" class="number">
                {what === 'rate' ? 'total' : ''}
              </th>
              <td />
            </tr>
          </thead>
        )}
        <tbody>
          {few.map((one, place) => (
            <tr key={one.name}>
              <th scope="row">
                {place === 0 ? '▲ ' : ''}
                {one.name}
              </th>
              <td class="number">{human(one.now, unit)}</td>
              {stat.kind === 'counter' && (
                <td class="number">{what === 'rate' ? human(one.total, stat.unit) : ''}</td>
              )}
              <td>{place === 0 && one.now !== null ? 'the most' : one.now === null ? 'nothing now' : ''}</td>
            </tr>
          ))}
          {rows.length > few.length && (
            <tr>
              <th scope="row">and {rows.length - few.length} others</th>
            </tr>
          )}
        </tbody>
      </table>
    </>
  )
}

/** All that have no line of their own: their sum, or of percentiles the greatest. */
function others(rows: Row[], unit: string, what: string): Line {
  const isOfAll = what.startsWith('p')
  const values = (rows[0]?.values ?? []).map((_, at) => {
    const there = rows.map((one) => one.values[at] ?? null).filter((value): value is number => value !== null)
    if (!there.length) return null
    return isOfAll ? Math.max(...there) : there.reduce((sum, value) => sum + value, 0)
  })
  const label = `${rows.length} others${isOfAll ? ', the most' : ' together'}`
  return { label, unit, colour: 'rgb(128 128 128)', dash: [1, 3], values }
}
