/** What is no number: texts, states, versions. */

import { useState } from 'preact/hooks'
import { useStats } from './ask'

interface One {
  label: string
  tags: Record<string, string>
  group: string
  kind: string
  value: unknown
}

const EVERY = 5000
const KINDS = ['text', 'static', 'info', 'enum', 'bool']
const LONGEST = 300

function text(value: unknown): string {
  const all = (Array.isArray(value) ? value : [value]).map(String)
  const said = all.join(', ')
  return said.length > LONGEST ? `${said.slice(0, LONGEST)}…` : said
}

export function Texts({ wanted }: { wanted: (name: string) => boolean }) {
  const [found, put] = useState<One[]>([])
  const [isOpen, open] = useState(false)
  useStats<One>('by=all', EVERY, isOpen, (stats) => put(stats.filter((one) => KINDS.includes(one.kind))), [])
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
