import { useEffect, useState } from 'react'

const writeAfterMs = 400

/** The unfinished text of a project's editor, kept in this browser. */
export function useDraft(projectId: string, initial: string): [text: string, setText: (text: string) => void] {
  const key = `tributary:sql:${projectId}`
  const [text, setText] = useState(initial)
  useEffect(() => {
    const kept = readKept(key)
    if (kept !== null) setText(kept)
  }, [key])
  useEffect(() => {
    const timer = setTimeout(() => writeKept(key, text), writeAfterMs)
    return () => clearTimeout(timer)
  }, [key, text])
  return [text, setText]
}

/** Storage may be switched off; then a draft lives as long as the page. */
function readKept(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function writeKept(key: string, text: string): void {
  try {
    localStorage.setItem(key, text)
  } catch {
    // Full or switched off: nothing is kept.
  }
}
