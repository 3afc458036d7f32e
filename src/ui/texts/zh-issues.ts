/** What the schemas of the skills say, in Chinese: `$1` is the first part that changes. */
const ISSUES: ReadonlyArray<readonly [RegExp, string]> = [
  [/^must be at least (\S+) a pixel$/, '每像素不得小于 $1'],
  [/^must be at least one$/, '至少要有一个'],
  [/^must be at least (\S+)$/, '不得小于 $1'],
  [/^must be at most the rows of the database$/, '不得大于数据库的行数'],
  [/^must be at most (\S+)$/, '不得大于 $1'],
  [/^must be a whole number from (\S+) to (\S+)$/, '必须是 $1 到 $2 之间的整数'],
  [/^must be a whole number$/, '必须是整数'],
  [/^must be a number$/, '必须是数字'],
  [/^must be an? (\w+Array)$/, '必须是 $1'],
  [/^must be a decimal number as text(, such as (.*))?$/, '必须是十进制数，例如 "-0.75" 或 "1e-20"'],
  [/^must be from (\S+) to (\S+)$/, '必须在 $1 到 $2 之间'],
  [/^must be above (\S+)$/, '必须大于 $1'],
  [/^must be ('\w+') or ('\w+')$/, '必须是 $1 或 $2'],
  [/^must not make the view higher than (\S+)$/, '视图的高度不得超过 $1'],
  [/^must hold no NaN, no infinity and nothing beyond (\S+) .*$/, '不得含有 NaN、无穷大或绝对值超过 $1 的数'],
  [/^must hold (\S+) to (\S+) rows of dims numbers$/, '必须含有 $1 到 $2 行，每行的数字个数如所设'],
  [/^must take at most (\S+) bytes .*$/, '各行补足到 16 的倍数后，不得超过 $1 字节'],
  [/^must have (\w · \w) elements$/, '必须有 $1 个元素'],
  [/^must lie beside `from`, .*$/, '必须在 from 的旁边，不能在其正上方或正下方'],
  [/^must have every index that a sphere or a triangle names$/, '必须包含球体或三角形所用的每个编号']
]

/** Of what is not known here the original stands in brackets. */
export function issueInChinese(message: string): string {
  const [, place = '', what = message] = /^([\w.]+: )(.*)$/s.exec(message) ?? []
  for (const [pattern, words] of ISSUES) {
    if (pattern.test(what)) return `${place}${what.replace(pattern, words)}。`
  }
  return what === 'Invalid input' ? `${place}无效。` : `无效（${message}）。`
}
