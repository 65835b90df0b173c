/** What is no number: texts, states, versions. */

import { useEffect, useState } from 'preact/hooks'

interface One {
  label: string
  tags: Record<string, string>
  group: string
  kind: string
  value: unknown
}

const EVERY = 5000
const LONGEST = 300

function text(value: unknown): string {
  const all = (Array.isArray(value) ? value : [value]).map(String)
  const said = all.join(', ')
  return said.length > LONGEST ? `${said.slice(0, LONGEST)}…` : said
}

export function Texts({ wanted }: { wanted: (name: string) => boolean }) {
  const [found, put] = useState<One[]>([])
  const [isOpen, open] = useState(false)
  useEffect(() => {
    if (!isOpen) return undefined
    let isHere = true
    const ask = async () => {
      if (document.hidden) return
      try {
        const answer = await fetch('./api/v1/stats?by=all')
        const told = (await answer.json()) as { stats?: One[] }
        const rest = (told.stats ?? []).filter((one) => ['text', 'static', 'info', 'enum', 'bool'].includes(one.kind))
        if (isHere) put(rest)
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
  }, [isOpen])
  return (
    <details class="texts" onToggle={(event) => open(event.currentTarget.open)}>
      <summary>Texts and states</summary>
      <table>
        <tbody>
          {found
            .filter((one) => wanted(one.label))
            .map((one) => (
              <tr key={`${one.group} ${one.label} ${JSON.stringify(one.tags)}`}>
                <th scope="row">{one.label}</th>
                <td>{one.kind}</td>
                <td>{text(one.value)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </details>
  )
}
