/** Where histories come from: mmash, or a recording that somebody put on the page. */

import type { History } from './samples'

export interface Source {
  /** Whether there is more to come. */
  isLive: boolean
  /** What is called so, as `/api/v1/history` has it. */
  history: (query: string) => Promise<History>
}

async function told(answer: Response): Promise<History> {
  const said = (await answer.json()) as History & { error?: string }
  if (!answer.ok) throw new Error(said.error ?? answer.statusText)
  return said
}

export const LIVE: Source = {
  isLive: true,
  history: async (query) => told(await fetch(`./api/v1/history?${query}`)),
}

/** Of a file, which mmash is sent each time: it keeps nothing. */
export function recorded(file: Blob): Source {
  return {
    isLive: false,
    history: async (query) => {
      const words = new URLSearchParams(query)
      words.delete('since')
      return told(await fetch(`./api/v1/replay?${words}`, { method: 'POST', body: file }))
    },
  }
}
