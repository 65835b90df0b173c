/** What one takes along: a table, a picture, the link. */

import type { View } from './address'
import type { Stat } from './samples'

/** The query of the table of what the list has. */
export function csvOf(view: View): string {
  if (!view.s) return ''
  return `?select=${encodeURIComponent(view.s.includes('*') ? view.s : `*${view.s}*`)}`
}

export function savePicture(stat: Stat | undefined, say: (text: string) => void): void {
  const canvas = stat && document.querySelector<HTMLCanvasElement>(`figure[data-stat="${CSS.escape(stat.name)}"] canvas`)
  if (!canvas) {
    say('there is no chart to save')
    return
  }
  canvas.toBlob((blob) => {
    if (!blob) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = `${stat.name.replace(/[^\w.-]+/g, '_')}.png`
    link.click()
    URL.revokeObjectURL(link.href)
    say('the chart was saved')
  })
}

export async function copyLink(say: (text: string) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href)
    say('the link was copied')
  } catch {
    say('the link stands in the address bar')
  }
}
