/** What is asked for again and again, as long as somebody looks. */

import { useEffect } from 'preact/hooks'

/** `take` gets the stats that are answered; `again`: what makes it another question. */
export function useStats<One>(
  query: string,
  every: number,
  isAsking: boolean,
  take: (stats: One[]) => void,
  again: unknown[],
): void {
  useEffect(() => {
    if (!isAsking) return undefined
    let isHere = true
    const ask = async () => {
      if (document.hidden) return
      try {
        const answer = await fetch(`./api/v1/stats?${query}`)
        const { stats = [] } = (await answer.json()) as { stats?: One[] }
        if (isHere) take(stats)
      } catch {
        // the header says that mmash cannot be reached
      }
    }
    void ask()
    const timer = setInterval(ask, every)
    return () => {
      isHere = false
      clearInterval(timer)
    }
  }, [query, every, isAsking, ...again])
}
