/** A recording that somebody drops on the page, or opens: it is shown in the place of what is now. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { Samples } from './samples'
import { recorded, type Source } from './source'

export interface Recording {
  name: string
  samples: Samples
  source: Source
}

type Shown = Recording | { failed: string } | { reading: string } | null

/** What is shown, how to show another file, and how to end that. */
export function useRecording(): [Shown, (file: File) => void, () => void] {
  const [shown, show] = useState<Shown>(null)
  const last = useRef(0)
  const end = () => {
    last.current += 1
    show(null)
  }
  const open = (file: File) => {
    const number = (last.current += 1)
    const put = (one: Shown) => number === last.current && show(one)
    put({ reading: file.name })
    const source = recorded(file)
    source
      .history('')
      .then((history) => {
        const samples = new Samples()
        samples.load(history)
        put({ name: file.name, samples, source })
      })
      .catch((error: unknown) => put({ failed: `${file.name}: ${error instanceof Error ? error.message : String(error)}` }))
  }
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault()
    const dropped = (event: DragEvent) => {
      event.preventDefault()
      const file = event.dataTransfer?.files[0]
      if (file) open(file)
    }
    document.addEventListener('dragover', over)
    document.addEventListener('drop', dropped)
    return () => {
      document.removeEventListener('dragover', over)
      document.removeEventListener('drop', dropped)
    }
  }, [])
  return [shown, open, end]
}

/** What is said of it, with what ends it. */
export function Told({ shown, end }: { shown: Shown; end: () => void }) {
  if (!shown) return null
  const text =
    'reading' in shown
      ? `Reading ${shown.reading} …`
      : 'failed' in shown
        ? shown.failed
        : `The recording ${shown.name}, from ${when(shown.samples.times[0])} to ${when(shown.samples.end)}`
  return (
    <p class={'failed' in shown ? 'told failed' : 'told'} role={'failed' in shown ? 'alert' : undefined}>
      {text}{' '}
      <button type="button" onClick={end}>
        back to what is now
      </button>
    </p>
  )
}

function when(time: number | undefined): string {
  return time ? new Date(time * 1000).toLocaleString() : 'nothing'
}
