/** Which key does what: one table for what happens and for the help. */

export const KEYS: [string, string][] = [
  ['/', 'filter by name'],
  ['j', 'next stat'],
  ['k', 'stat before'],
  ['Enter', 'open or close its chart'],
  ['p', 'pin its chart'],
  ['m', 'rates or totals of counters'],
  ['b', 'a line for each process'],
  ['y', 'linear, log or stacked'],
  ['a', 'the mean of some samples'],
  ['l', 'a line that nothing should be above'],
  [' ', 'pause, and go on'],
  ['+', 'a longer time'],
  ['-', 'a shorter time'],
  ['ArrowLeft', 'the cursor to the sample before'],
  ['ArrowRight', 'the cursor to the next sample'],
  ['t', 'stay at this time, and come back'],
  ['c', 'what is kept as CSV'],
  ['i', 'the chart as PNG'],
  ['o', 'open a recording'],
  ['s', 'copy the link to this view'],
  ['d', 'dark or light'],
  ['?', 'these keys'],
  ['Escape', 'go on, back to now, close what is open'],
]

export function named(key: string): string {
  return key === ' ' ? 'Space' : key
}
