/** In which order the list has its stats. */

import type { View } from './address'
import { linesOf, type Samples, type Stat } from './samples'

export function inOrder(samples: Samples, stats: Stat[], view: View): Stat[] {
  if (!view.sort) return stats
  const sign = view.sort.startsWith('-') ? -1 : 1
  if (view.sort.endsWith('name')) return stats.sort((one, other) => sign * (one.name < other.name ? -1 : 1))
  const now = (stat: Stat) => {
    const line = stat.lines.get(linesOf(stat, view.m)[0] ?? '')
    return (line === undefined ? null : samples.latest(line)) ?? -Infinity
  }
  return stats.sort((one, other) => sign * (now(one) - now(other)))
}
