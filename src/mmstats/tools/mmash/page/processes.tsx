/** What each process has of one stat: who has the most stands at the top, and is told by more than a colour. */

import { useEffect, useState } from 'preact/hooks'
import { human } from './numbers'
import type { Stat } from './samples'

interface One {
  pid: number
  cmd: string
  state: string
  tags: Record<string, string>
  label: string
  group: string
  value: unknown
}

const EVERY = 2000

function number(value: unknown): number | null {
  if (typeof value === 'number') return value
  if (value && typeof value === 'object' && 'p99' in value) return (value as { p99: number | null }).p99
  return null
}

function nameOf(one: One): string {
  const tags = Object.entries(one.tags).map(([name, text]) => `${name}="${text}"`)
  return one.label + (tags.length ? `{${tags.join(',')}}` : '')
}

export function Processes({ stat, isPaused }: { stat: Stat; isPaused: boolean }) {
  const [found, put] = useState<One[]>([])
  useEffect(() => {
    if (isPaused) return undefined
    let isHere = true
    const ask = async () => {
      if (document.hidden) return
      const label = stat.name.replace(/\{.*$/s, '')
      try {
        const answer = await fetch(`./api/v1/stats?select=${encodeURIComponent(label)}`)
        const told = (await answer.json()) as { stats?: One[] }
        if (isHere) put((told.stats ?? []).filter((one) => nameOf(one) === stat.name && one.group === stat.group))
      } catch {
        // the header says that mmash cannot be reached
      }
    }
    void ask()
    const timer = setInterval(ask, EVERY)
    return () => {
      isHere = false
      clearInterval(timer)
    }
  }, [stat.key, isPaused])
  const rows = found
    .filter((one) => number(one.value) !== null)
    .sort((one, other) => number(other.value)! - number(one.value)!)
  if (rows.length < 2) return null
  const shown = rows.slice(0, 20)
  return (
    <table class="processes">
      <caption>{stat.lines.has('p99') ? 'p99 of each process since it began' : 'Each process since it began'}</caption>
      <tbody>
        {shown.map((one, place) => (
          <tr>
            <th scope="row">
              {place === 0 ? '▲ ' : ''}
              {one.cmd} {one.pid || one.state}
            </th>
            <td class="number">{human(number(one.value), stat.unit)}</td>
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
  )
}
