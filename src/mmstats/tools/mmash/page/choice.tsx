/** One of a few words. */

interface Choices {
  name: string
  value: string
  choices: [string, string][]
  choose: (value: string) => void
}

export function Choice({ name, value, choices, choose }: Choices) {
  return (
    <label>
      <span class="hidden">{name}</span>
      <select aria-label={name} value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {choices.map(([key, text]) => (
          <option value={key}>{text}</option>
        ))}
      </select>
    </label>
  )
}
