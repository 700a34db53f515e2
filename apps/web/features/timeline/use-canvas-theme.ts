import { type RefObject, useEffect, useState } from 'react'
import { type ColorName, colorTokens } from './timeline-mark-looks.ts'
import type { Theme } from './timeline-painter.ts'

/** The tokens of the design system as canvas colours, read again when the theme changes. */
export function useCanvasTheme(element: RefObject<HTMLElement | null>): Theme | undefined {
  const [theme, setTheme] = useState<Theme>()
  useEffect(() => {
    const node = element.current
    if (!node) return
    const read = () => setTheme(readTheme(getComputedStyle(node)))
    read()
    const observer = new MutationObserver(read)
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['class'] })
    return () => observer.disconnect()
  }, [element])
  return theme
}

function readTheme(style: CSSStyleDeclaration): Theme {
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const colors = Object.entries(colorTokens).map(([name, css]) => [name, token(css)])
  return {
    ...(Object.fromEntries(colors) as Record<ColorName, string>),
    sans: style.fontFamily || 'sans-serif',
    mono: token('font-geist-mono') || 'ui-monospace, monospace',
  }
}
