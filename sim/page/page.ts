/**
 * The page of a run as one text of HTML: styles, the code of the view and the data stand inside, so
 * that it opens from a file with no network. The view is a few modules (view/*.js) that are joined
 * here into one: each is written in the order of its imports, without these.
 */
import { readFileSync } from 'node:fs'
import type { PageData } from './data.ts'

/** In the order in which they need each other. */
const MODULES = ['model.js', 'scale.js', 'draw.js', 'details.js', 'main.js'] as const

/** The whole page. */
export function pageOf(data: PageData): string {
  const script = MODULES.map(name => withoutArrows(read(`view/${name}`))).join('\n')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escaped(data.title)}</title>
<style>
${read('view/page.css')}</style>
</head>
${read('view/body.html').replace('{{title}}', escaped(data.title)).replace('{{command}}', escaped(data.command))}
<script type="application/json" id="run">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script type="module">
${script}</script>
</html>
`
}

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

/** Imports are gone: all stands in one place. Each is one line, or a list closed by a line. */
function withoutArrows(code: string): string {
  return code
    .replaceAll(/^import \{[^}]*\} from '[^']*'\n/gm, '')
    .replaceAll(/^export (?=(async )?(function|const|class) )/gm, '')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
