/** What the codes of errors mean to a visitor, in Chinese. Codes with the same remedy share a sentence. */
const ERRORS: ReadonlyArray<readonly [codes: string, words: string]> = [
  ['NO_PROVIDER', '没有可用的节点。请稍后再试。'],
  ['BUDGET_TOO_SMALL', '价格超过预算。请提高预算。'],
  ['INSUFFICIENT_CREDIT', '积分不足。请缩小任务。'],
  ['BAD_OPTION BAD_INPUT', '输入无效。请检查各字段。'],
  ['UNKNOWN_SKILL', '没有这项技能。请更新本页。'],
  ['UNIT_FAILED', '同一单元多次失败，可能是输入有误。'],
  ['CANCELLED INTERRUPTED', '任务已中断，余额会退还。'],
  ['STOPPED CLOSED NOT_RUNNING', '节点已停止。请重新启动。'],
  ['REFUSED BUSY', '节点繁忙或拒绝了工作。'],
  ['PROTOCOL WRONG_RESULT BAD_RESULT BAD_RECEIPT BAD_UNIT', '节点出错，不予付款。'],
  ['UNIT_TIMEOUT TIMEOUT TIMED_OUT DEADLINE', '没有按时完成。请稍后再试。'],
  ['PEER_LOST PEER_LEFT NO_ANSWER UNREACHABLE', '节点已断开或无法连接。'],
  ['NO_RELAY', '没有中继回应。请检查网络后再试。'],
  ['NO_WEBGPU', '此处没有 WebGPU。请去掉网址中的 backend。'],
  ['KERNEL_FAILED WORKER_CRASHED DEVICE_LOST', '计算出错，会自动重试。'],
  ['OUT_OF_MEMORY NO_MEMORY', '内存不足。请缩小任务。'],
  ['NO_VOTES NOT_CONCERNED', '见证人没有及时投票。请稍后再试。'],
  ['SEAT FORK BAD_RECORD BAD_CERTIFICATE CONFLICT', '记录互相矛盾，不予接受。'],
  ['CLOCK', '时钟不准。请校正此设备的时钟。'],
  ['RECOVERING', '正在向见证人询问账本。请稍候。'],
  ['MOVED', '此身份已移到别处。请从文件启用。'],
  ['FULL', '存储空间已满。请腾出空间。'],
  ['DENIED', '浏览器拒绝存储。请允许本页保存数据。'],
  ['CORRUPT', '保存的数据已损坏，未作任何更改。'],
  ['LOCKED UNAVAILABLE', '存储被另一个标签页占用。请关闭它。'],
  ['HOST_GONE UNKNOWN_JOB', '运行节点的标签页已关闭。'],
  ['ONLY_THERE', '请在运行节点的标签页中进行。'],
  ['BAD_MESSAGE', '两个标签页版本不同。请都重新加载。'],
  ['MALFORMED NOT_CANONICAL BAD_SIGNATURE TOO_LARGE', '文件或消息不正确或已损坏。'],
  ['WRONG_NETWORK', '属于另一个网络。两边须用同一网络。'],
  ['PASSPHRASE', '口令不对。'],
  ['INTERNAL', '发生了意外错误。请重新加载本页。']
]

/** Of a code that is not known here the original stands. */
export function errorInChinese(code: string, message: string): string {
  return ERRORS.find(([codes]) => codes.split(' ').includes(code))?.[1] ?? message
}

/** Why a unit came back: `CODE: what a provider says`, or only that. */
export function reasonInChinese(reason: string): string {
  const [, code = ''] = /^([A-Z_]+): /.exec(reason) ?? []
  return errorInChinese(code, reason)
}
