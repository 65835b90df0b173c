/** What each process has of one stat: a line each, from when one looks on, and who has the most.
 *
 * That is told by its place and a word, too, not by a colour alone.
 */

import { useEffect, useRef, useState } from 'preact/hooks'
import { useStats } from './ask'
import { human } from './numbers'
import { type Line, Plot } from './plot'
import type { Stat } from './samples'

interface Told {
  t: number
  pid: number
  cmd: string
  state: string
  tags: Record<string, string>
  label: string
  group: string
  value: unknown
}

interface One {
  name: string
  state: string
  /** Since it began. */
  value: number
  /** What is drawn: of a counter its rate. */
  now: number | null
  before: { t: number; value: number } | null
  line: (number | null)[]
}

const EVERY = 1000
const KEPT = 900
const MOST = 20 // lines; the others are one
const HUES = [212, 20, 275, 150, 330, 45, 190, 100]

function number(value: unknown): number | null {
  if (typeof value === 'number') return value
  if (value && typeof value === 'object' && 'p99' in value) return (value as { p99: number | null }).p99
  return null
}

function nameOf(one: Told): string {
  const tags = Object.entries(one.tags).map(([name, text]) => `${name}="${text}"`)
  return one.label + (tags.length ? `{${tags.join(',')}}` : '')
}

/** All processes of one stat, as they were told one time after the other. */
class Watched {
  times: number[] = []
  all = new Map<string, One>()

  add(told: Told[], isRate: boolean): void {
    const time = told.reduce((most, one) => Math.max(most, one.t), 0)
    if (!time || time <= (this.times[this.times.length - 1] ?? 0)) return
    this.times.push(time)
    const seen = new Set<string>()
    for (const one of told) {
      const value = number(one.value)
      if (value === null) continue
      const name = `${one.cmd} ${one.pid || one.state}`
      seen.add(name)
      const known = this.all.get(name) ?? {
        name,
        state: one.state,
        value,
        now: null,
        before: null,
        line: new Array<null>(this.times.length - 1).fill(null),
      }
      this.all.set(name, known)
      const { before } = known
      const isLess = before !== null && value < before.value
      known.now = isRate ? (before && !isLess ? (value - before.value) / (one.t - before.t || 1) : null) : value
      known.before = { t: one.t, value }
      known.value = value
      known.state = one.state
      known.line.push(known.now)
    }
    for (const [name, one] of this.all) {
      if (!seen.has(name)) one.line.push(null)
      if (one.line.every((value) => value === null) && !seen.has(name)) this.all.delete(name)
    }
    if (this.times.length > KEPT) {
      this.times.shift()
      for (const one of this.all.values()) one.line.shift()
    }
  }

  /** The greatest first. */
  sorted(): One[] {
    return [...this.all.values()].sort((one, other) => other.value - one.value)
  }
}

interface Props {
  stat: Stat
  isDrawn: boolean
  isPaused: boolean
  isRate: boolean
  theme: string
}

export function Processes({ stat, isDrawn, isPaused, isRate, theme }: Props) {
  const watched = useRef(new Watched())
  const [beat, tick] = useState(0)
  const isCounter = stat.kind === 'counter' && isRate

  useEffect(() => {
    watched.current = new Watched()
  }, [stat.key, isCounter])

  const label = stat.name.replace(/\{.*$/s, '')
  const take = (stats: Told[]) => {
    watched.current.add(
      stats.filter((one) => nameOf(one) === stat.name && one.group === stat.group),
      isCounter,
    )
    tick((before) => before + 1)
  }
  useStats<Told>(`select=${encodeURIComponent(label)}`, EVERY, !isPaused, take, [stat.key, isCounter])

  const rows = watched.current.sorted()
  if (rows.length < 2 && !isDrawn) return null
  const shown = rows.slice(0, MOST)
  const lightness = theme === 'dark' ? 70 : 38
  const unit = isCounter ? '1/s' : stat.unit
  const lines: Line[] = shown.map((one, place) => ({
    label: one.name,
    unit,
    colour: `hsl(${HUES[place % HUES.length]} 65% ${lightness}%)`,
    dash: place < HUES.length ? [] : [4, 3],
    values: one.line.slice(),
  }))
  if (rows.length > shown.length) lines.push(others(rows.slice(MOST), unit))
  const what = stat.lines.has('p99') ? 'p99 of each process' : 'Each process'
  return (
    <>
      {isDrawn && (
        <figure class="each" aria-label={what}>
          <Plot
            name={`${stat.key} each ${isCounter}`}
            times={watched.current.times.slice()}
            lines={lines}
            isBand={false}
            beat={beat}
            theme={theme}
          />
        </figure>
      )}
      <table class="processes">
        <caption>{what} since it began</caption>
        <tbody>
          {shown.map((one, place) => (
            <tr>
              <th scope="row">
                {place === 0 ? '▲ ' : ''}
                {one.name}
              </th>
              <td class="number">{human(one.value, stat.unit)}</td>
              <td>{place === 0 ? 'the most' : one.state === 'alive' ? '' : one.state}</td>
            </tr>
          ))}
          {rows.length > shown.length && (
            <tr>
              <th scope="row">and {rows.length - shown.length} others</th>
            </tr>
          )}
        </tbody>
      </table>
    </>
  )
}

function others(rows: One[], unit: string): Line {
  const values = (rows[0]?.line ?? []).map((_, at) => {
    const there = rows.map((one) => one.line[at] ?? null).filter((value): value is number => value !== null)
    return there.length ? there.reduce((sum, value) => sum + value, 0) : null
  })
  return { label: `${rows.length} others together`, unit, colour: 'gray', dash: [1, 3], values }
}
