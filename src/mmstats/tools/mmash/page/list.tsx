/** All stats, of which only those in sight are made. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { human } from './numbers'
import { linesOf, type Samples, type Stat } from './samples'
import { Spark } from './spark'

const ROW = 44 // pixels, as high as a finger is wide
const AROUND = 6
const SPARK = 60 // seconds

interface Props {
  stats: Stat[]
  samples: Samples
  mode: string
  chosen: string
  pinned: Set<string>
  limits: Map<string, number>
  by: string
  choose: (key: string) => void
  pin: (name: string) => void
  sort: (by: string) => void
}

export function List({ stats, samples, mode, chosen, pinned, limits, by, choose, pin, sort }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const [top, scrolled] = useState(0)
  const [height, resized] = useState(600)

  useEffect(() => {
    const room = place.current!
    const watch = new ResizeObserver(() => resized(room.clientHeight))
    watch.observe(room)
    return () => watch.disconnect()
  }, [])

  useEffect(() => {
    const at = stats.findIndex((one) => one.key === chosen)
    const room = place.current!
    if (at < 0) return
    if (at * ROW < room.scrollTop) room.scrollTop = at * ROW
    else if ((at + 1) * ROW > room.scrollTop + room.clientHeight) room.scrollTop = (at + 1) * ROW - room.clientHeight
  }, [chosen])

  const first = Math.max(0, Math.floor(top / ROW) - AROUND)
  const last = Math.min(stats.length, Math.ceil((top + height) / ROW) + AROUND)
  const from = samples.since(SPARK)
  const head = (word: string, text: string) => {
    const way = by === word ? 'ascending' : by === `-${word}` ? 'descending' : 'none'
    const mark = way === 'ascending' ? ' ▲' : way === 'descending' ? ' ▼' : ''
    return (
      <button type="button" aria-pressed={way !== 'none'} onClick={() => sort(by === `-${word}` ? word : `-${word}`)}>
        {text}
        {mark}
      </button>
    )
  }
  return (
    <section class="list" aria-label="Stats">
      <div class="heads">
        {head('name', 'Stat')}
        {head('value', 'Now')}
      </div>
      <div class="rows" ref={place} tabIndex={0} onScroll={(event) => scrolled(event.currentTarget.scrollTop)}>
        <ul style={{ height: `${stats.length * ROW}px` }}>
          {stats.slice(first, last).map((stat, at) => {
            const what = linesOf(stat, mode)[0] ?? ''
            const line = stat.lines.get(what)
            const isPinned = pinned.has(stat.name)
            const unit = what === 'rate' ? '1/s' : stat.unit
            const now = line === undefined ? null : samples.latest(line)
            const limit = limits.get(stat.name)
            const isAbove = now !== null && limit !== undefined && now > limit
            return (
              <li key={stat.key} style={{ top: `${(first + at) * ROW}px` }} class={stat.key === chosen ? 'chosen' : ''}>
                <button
                  type="button"
                  class="pin"
                  aria-pressed={isPinned}
                  aria-label={`Pin ${stat.name}`}
                  onClick={() => pin(stat.name)}
                >
                  {isPinned ? '★' : '☆'}
                </button>
                <button
                  type="button"
                  class="stat"
                  aria-expanded={stat.key === chosen}
                  title={stat.help ? `${stat.name}: ${stat.help}` : stat.name}
                  onClick={() => choose(stat.key)}
                >
                  <span class="name">{stat.short}</span>
                  <span class="kind">{what === 'value' ? stat.kind : what}</span>
                  <span class={isAbove ? 'now above' : 'now'} title={isAbove ? `above ${human(limit, unit)}` : ''}>
                    {isAbove ? '! ' : ''}
                    {human(now, unit)}
                  </span>
                  <Spark values={line === undefined ? [] : samples.values(line).slice(from)} />
                </button>
              </li>
            )
          })}
        </ul>
      </div>
    </section>
  )
}
